// SPDX-License-Identifier: MIT
pragma solidity 0.8.30;

import {Owned} from "./Owned.sol";
import {SuiteToken} from "./SuiteToken.sol";

/// The owner burns what is his own.
contract OwnerBurnsOwn is SuiteToken, Owned {
    constructor() SuiteToken("Ash", "ASH") {}

    function burn(uint256 amount) external onlyOwner {
        _destroy(msg.sender, amount);
    }
}
