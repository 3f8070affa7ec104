// SPDX-License-Identifier: MIT
pragma solidity 0.8.30;

import {PairToken} from "./PairToken.sol";
import {SuiteToken} from "./SuiteToken.sol";

/// Takes four percent of sales at first and one percent less for every twenty purchases, down to one.
contract FeeFallsWithBuyers is PairToken {
    uint256 public purchases;

    constructor(address pair) SuiteToken("Crowd", "CRWD") PairToken(pair) {}

    function _onBuy(address, uint256) internal override returns (uint256) {
        purchases += 1;
        return 0;
    }

    function _onSell(address, uint256 amount) internal view override returns (uint256) {
        uint256 less = purchases / 20;
        return (amount * (less >= 3 ? 1 : 4 - less)) / 100;
    }
}
