// SPDX-License-Identifier: MIT
pragma solidity 0.8.30;

import {SuiteToken} from "./SuiteToken.sol";

/// Moves whole thousandths only; the rest of an amount stays where it is.
contract RoundsAmounts is SuiteToken {
    constructor() SuiteToken("Whole", "WHOL") {}

    function _update(address from, address to, uint256 amount) internal override {
        _move(from, to, amount - (amount % 1e15));
    }
}
