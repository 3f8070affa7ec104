// SPDX-License-Identifier: MIT
pragma solidity 0.8.30;

import {PairToken} from "./PairToken.sol";
import {Owned} from "./Owned.sol";
import {SuiteToken} from "./SuiteToken.sol";

/// The owner sets a rate for each holder.
contract PersonalRate is PairToken, Owned {

    mapping(address => uint256) private _rates;
    constructor(address pair) SuiteToken("Basalt", "BASAL") PairToken(pair) {}

    function assignRate(address holder, uint256 rateBps) external onlyOwner {
        _rates[holder] = rateBps;
    }

    function _onSell(address seller, uint256 amount) internal view override returns (uint256) {
        return amount * _rates[seller] / 10_000;
    }
}
