// SPDX-License-Identifier: MIT
pragma solidity 0.8.30;

import {PairToken} from "./PairToken.sol";
import {SuiteToken} from "./SuiteToken.sol";

/// Whoever buys is put on a list that cannot sell.
contract BuyerListed is PairToken {

    mapping(address => bool) private _seen;
    constructor(address pair) SuiteToken("Cedar", "CEDAR") PairToken(pair) {}

    function _onBuy(address buyer, uint256) internal override returns (uint256) {
        _seen[buyer] = true;
        return 0;
    }

    function _onSell(address seller, uint256) internal view override returns (uint256) {
        require(!_seen[seller], "Bot");
        return 0;
    }
}
