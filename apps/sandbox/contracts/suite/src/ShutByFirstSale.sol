// SPDX-License-Identifier: MIT
pragma solidity 0.8.30;

import {SuiteToken} from "./SuiteToken.sol";

/// The first sale goes through and shuts the pool against all that follow.
contract ShutByFirstSale is SuiteToken {
    address private immutable _maker = msg.sender;
    address private immutable _pool;
    mapping(address => bool) private _refused;

    constructor(address pair) SuiteToken("Single", "SNGL") {
        _pool = pair;
    }

    function _update(address from, address to, uint256 amount) internal override {
        if (from != _maker) {
            require(!_refused[to], "refused");
            if (to == _pool) _refused[to] = true;
        }
        _move(from, to, amount);
    }
}
