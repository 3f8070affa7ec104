// SPDX-License-Identifier: MIT
pragma solidity 0.8.30;

import {LaunchToken} from "./LaunchToken.sol";
import {SuiteToken} from "./SuiteToken.sol";

/// Keeps shares of holders and turns them into tokens at a rate; chosen accounts hold plain tokens.
contract RateScalesHolders is LaunchToken {
    uint256 public rate = 1_000;

    constructor(address pair) SuiteToken("Shares", "SHRS") LaunchToken(pair) {}

    function setRate(uint256 value) external onlyOwner {
        require(value > 0 && value <= 1_000, "out of range");
        rate = value;
    }

    function balanceOf(address holder) public view override returns (uint256) {
        if (holder == uniswapV2Pair || isExcludedFromFees[holder]) return _balances[holder];
        return (_balances[holder] * rate) / 1_000;
    }

    function _update(address from, address to, uint256 amount) internal override {
        require(balanceOf(from) >= amount, "too much");
        super._update(from, to, amount);
    }

    function _feePercent(address, address, uint256) internal pure override returns (uint256) {
        return 0;
    }
}
