// SPDX-License-Identifier: MIT
pragma solidity 0.8.30;

import {PairToken} from "./PairToken.sol";
import {SuiteToken} from "./SuiteToken.sol";

/// A sale may be no more than a tenth of what one holds, and one sale a day.
contract SellShareCapped is PairToken {

    mapping(address => uint256) private _lastSale;
    constructor(address pair) SuiteToken("Quartz", "QUART") PairToken(pair) {}

    function _onSell(address seller, uint256 amount) internal override returns (uint256) {
        require(amount <= balanceOf(seller) / 10, "Exceeds max transaction");
        require(block.timestamp >= _lastSale[seller] + 1 days, "Once a day");
        _lastSale[seller] = block.timestamp;
        return 0;
    }
}
