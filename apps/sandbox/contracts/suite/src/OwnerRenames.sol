// SPDX-License-Identifier: MIT
pragma solidity 0.8.30;

import {Owned} from "./Owned.sol";
import {SuiteToken} from "./SuiteToken.sol";

/// The owner may give it another name and another address for its logo.
contract OwnerRenames is SuiteToken, Owned {
    string public tokenURI;

    constructor() SuiteToken("Working Title", "WORK") {}

    function rename(string calldata name_, string calldata symbol_) external onlyOwner {
        name = name_;
        symbol = symbol_;
    }

    function setTokenURI(string calldata uri) external onlyOwner {
        tokenURI = uri;
    }
}
