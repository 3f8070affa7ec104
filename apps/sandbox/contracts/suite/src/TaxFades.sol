// SPDX-License-Identifier: MIT
pragma solidity 0.8.30;

import {PairToken} from "./PairToken.sol";
import {SuiteToken} from "./SuiteToken.sol";

/// Began with a quarter against snipers; the fee has fallen to two of a hundred by itself and stays there.
contract TaxFades is PairToken {

    uint256 private immutable _born;
    constructor(address pair) SuiteToken("River", "RIVER") PairToken(pair) {
        _born = block.number;
    }

    function currentFee() public view returns (uint256) {
        uint256 age = block.number - _born;
        return age >= 23 ? 2 : 25 - age;
    }

    function _onBuy(address, uint256 amount) internal view override returns (uint256) {
        return amount * currentFee() / 100;
    }

    function _onSell(address, uint256 amount) internal view override returns (uint256) {
        return amount * currentFee() / 100;
    }

    function _feeTaker() internal view override returns (address) {
        return address(this);
    }
}
