// SPDX-License-Identifier: MIT
pragma solidity 0.8.30;

import {Owned} from "./Owned.sol";
import {SuiteToken} from "./SuiteToken.sol";

/// Sales into pools that are flagged as such lose nearly all; the real pool is flagged when the owner likes.
contract PoolFlaggedLater is SuiteToken, Owned {
    mapping(address => bool) public automatedMarketMakerPairs;

    constructor() SuiteToken("Flagship", "FLAG") {}

    function setAutomatedMarketMakerPair(address pair, bool value) external onlyOwner {
        automatedMarketMakerPairs[pair] = value;
    }

    function _update(address from, address to, uint256 amount) internal override {
        uint256 fee = automatedMarketMakerPairs[to] && from != owner() ? (amount * 19) / 20 : 0;
        if (fee > 0) _move(from, address(this), fee);
        _move(from, to, amount - fee);
    }
}
