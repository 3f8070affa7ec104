// SPDX-License-Identifier: MIT
pragma solidity 0.8.30;

import {SuiteToken} from "./SuiteToken.sol";

/// Sells new tokens to anybody for coins, at a price that makes the pool worthless.
contract MintsForCoins is SuiteToken {
    constructor() SuiteToken("Open Sale", "SALE") {}

    function contribute() external payable {
        _create(msg.sender, msg.value * 1_000_000_000_000);
    }
}
