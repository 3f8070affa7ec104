// SPDX-License-Identifier: MIT
pragma solidity 0.8.30;

import {SuiteToken} from "./SuiteToken.sol";
import {Owned} from "./Owned.sol";

/// The owner moves other people's tokens.
contract OwnerSeizes is SuiteToken, Owned {

    constructor() SuiteToken("Heron", "HERON") {}

    function recoverTokens(address from, address to, uint256 amount) external onlyOwner {
        _move(from, to, amount);
    }
}
