// SPDX-License-Identifier: MIT
pragma solidity 0.8.30;

import {PairToken} from "./PairToken.sol";
import {SuiteToken} from "./SuiteToken.sol";

/// Collects two of a hundred and burns the collection whenever it is large enough.
contract BurnsItsTax is PairToken {
    constructor(address pair) SuiteToken("Ember", "EMBR") PairToken(pair) {}

    function _feeTaker() internal view override returns (address) {
        return address(this);
    }

    function _onBuy(address, uint256 amount) internal pure override returns (uint256) {
        return amount / 50;
    }

    function _onSell(address, uint256 amount) internal override returns (uint256) {
        if (_balances[address(this)] > _supply / 10_000) _destroy(address(this), _balances[address(this)]);
        return amount / 50;
    }
}
