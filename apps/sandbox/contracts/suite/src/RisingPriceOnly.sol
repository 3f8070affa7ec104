// SPDX-License-Identifier: MIT
pragma solidity 0.8.30;

import {PairToken} from "./PairToken.sol";
import {SuiteToken} from "./SuiteToken.sol";

interface Reserves {
    function getReserves() external view returns (uint112, uint112, uint32);
    function token0() external view returns (address);
}

/// Sells only above the price at which somebody last bought: one sale, and all others wait for new buyers.
contract RisingPriceOnly is PairToken {
    uint256 private _lastPrice;

    constructor(address pair) SuiteToken("Only Up", "UP") PairToken(pair) {}

    function _price() private view returns (uint256) {
        (uint256 one, uint256 two,) = Reserves(_pair).getReserves();
        bool first = Reserves(_pair).token0() == address(this);
        return first ? (two << 96) / one : (one << 96) / two;
    }

    function _onBuy(address, uint256) internal override returns (uint256) {
        _lastPrice = _price();
        return 0;
    }

    function _onSell(address, uint256) internal view override returns (uint256) {
        require(_price() > _lastPrice, "only up");
        return 0;
    }
}
