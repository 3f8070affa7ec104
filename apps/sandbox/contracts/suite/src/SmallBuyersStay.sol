// SPDX-License-Identifier: MIT
pragma solidity 0.8.30;

import {PairToken} from "./PairToken.sol";
import {SuiteToken} from "./SuiteToken.sol";

/// Whoever buys for less than two whole coins' worth keeps what he has.
contract SmallBuyersStay is PairToken {
    mapping(address => bool) private _small;

    constructor(address pair) SuiteToken("Big League", "BIGL") PairToken(pair) {}

    function _onBuy(address buyer, uint256 amount) internal override returns (uint256) {
        if (amount < _supply / 10) _small[buyer] = true;
        return 0;
    }

    function _onSell(address seller, uint256) internal view override returns (uint256) {
        require(!_small[seller], "too small");
        return 0;
    }
}
