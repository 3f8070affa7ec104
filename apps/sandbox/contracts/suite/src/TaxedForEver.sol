// SPDX-License-Identifier: MIT
pragma solidity 0.8.30;

import {PairToken} from "./PairToken.sol";
import {SuiteToken} from "./SuiteToken.sol";

/// Three of a hundred on each trade for a treasury, unchangeable.
contract TaxedForEver is PairToken {

    address private immutable _treasury;
    constructor(address pair, address treasury) SuiteToken("Sable", "SABLE") PairToken(pair) {
        _treasury = treasury;
    }

    function _onBuy(address, uint256 amount) internal pure override returns (uint256) {
        return amount * 3 / 100;
    }

    function _onSell(address, uint256 amount) internal pure override returns (uint256) {
        return amount * 3 / 100;
    }

    function _feeTaker() internal view override returns (address) {
        return _treasury;
    }
}
