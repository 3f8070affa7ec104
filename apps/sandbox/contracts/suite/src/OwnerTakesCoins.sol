// SPDX-License-Identifier: MIT
pragma solidity 0.8.30;

import {Owned} from "./Owned.sol";
import {SuiteToken} from "./SuiteToken.sol";

/// The owner takes out coins that were sent here.
contract OwnerTakesCoins is SuiteToken, Owned {
    constructor() SuiteToken("Tips", "TIPS") {}

    receive() external payable {}

    function withdraw() external onlyOwner {
        (bool sent,) = owner().call{value: address(this).balance}("");
        require(sent);
    }
}
