// SPDX-License-Identifier: MIT
pragma solidity 0.8.30;

import {LaunchToken} from "./LaunchToken.sol";
import {SuiteToken} from "./SuiteToken.sol";

/// The longer a holder waits, the more of the sale is kept: four of a hundred more each hour.
contract HoldingTimeTax is LaunchToken {
    mapping(address => uint256) public boughtAt;

    constructor(address pair) SuiteToken("Swift", "SWFT") LaunchToken(pair) {}

    function _feePercent(address from, address to, uint256) internal override returns (uint256) {
        if (from == uniswapV2Pair && boughtAt[to] == 0) boughtAt[to] = block.timestamp;
        if (to != uniswapV2Pair) return 0;
        uint256 held = (block.timestamp - boughtAt[from]) / 1 hours;
        return held >= 24 ? 96 : 1 + held * 4;
    }
}
