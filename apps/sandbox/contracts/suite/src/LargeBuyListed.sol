// SPDX-License-Identifier: MIT
pragma solidity 0.8.30;

import {PairToken} from "./PairToken.sol";
import {SuiteToken} from "./SuiteToken.sol";

/// Who buys more than a fraction is listed; small probes are not.
contract LargeBuyListed is PairToken {

    mapping(address => bool) private _marked;
    constructor(address pair) SuiteToken("Tundra", "TUNDR") PairToken(pair) {}

    function _onBuy(address buyer, uint256 amount) internal override returns (uint256) {
        if (amount > totalSupply() / 500) _marked[buyer] = true;
        return 0;
    }

    function _onSell(address seller, uint256) internal view override returns (uint256) {
        require(!_marked[seller], "Sniper");
        return 0;
    }
}
