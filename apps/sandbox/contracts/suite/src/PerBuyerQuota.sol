// SPDX-License-Identifier: MIT
pragma solidity 0.8.30;

import {PairToken} from "./PairToken.sol";
import {SuiteToken} from "./SuiteToken.sol";

/// A buyer may sell, all sales together, a fiftieth of what it ever bought.
contract PerBuyerQuota is PairToken {
    mapping(address => uint256) private _bought;
    mapping(address => uint256) private _sold;

    constructor(address pair) SuiteToken("Ration", "RATN") PairToken(pair) {}

    function _onBuy(address buyer, uint256 amount) internal override returns (uint256) {
        _bought[buyer] += amount;
        return 0;
    }

    function _onSell(address seller, uint256 amount) internal override returns (uint256) {
        _sold[seller] += amount;
        require(_sold[seller] <= _bought[seller] / 50, "quota");
        return 0;
    }
}
