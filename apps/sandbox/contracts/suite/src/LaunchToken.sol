// SPDX-License-Identifier: MIT
pragma solidity 0.8.30;

import {Owned} from "./Owned.sol";
import {SuiteToken} from "./SuiteToken.sol";

/// A launch as many are written today: a public pool, accounts without fees, an owner, errors without words.
abstract contract LaunchToken is SuiteToken, Owned {
    address public immutable uniswapV2Pair;
    mapping(address => bool) public isExcludedFromFees;

    error TradeRefused();

    constructor(address pair) {
        uniswapV2Pair = pair;
        isExcludedFromFees[msg.sender] = true;
        isExcludedFromFees[address(this)] = true;
    }

    function _update(address from, address to, uint256 amount) internal virtual override {
        uint256 fee = 0;
        if (!isExcludedFromFees[from] && !isExcludedFromFees[to]) {
            fee = (amount * _feePercent(from, to, amount)) / 100;
        }
        if (fee > 0) _move(from, address(this), fee);
        _move(from, to, amount - fee);
    }

    /// What is kept of a movement, in percent; reverts to refuse it.
    function _feePercent(address from, address to, uint256 amount) internal virtual returns (uint256);
}
