// SPDX-License-Identifier: MIT
pragma solidity 0.8.30;

import {LaunchToken} from "./LaunchToken.sol";
import {SuiteToken} from "./SuiteToken.sol";

/// Its owner announces a pause, which begins 150 blocks later.
contract ClosesAfterCall is LaunchToken {
    uint256 public pausedFrom = type(uint256).max;

    constructor(address pair) SuiteToken("Recess", "RCSS") LaunchToken(pair) {}

    function announceRecess() external onlyOwner {
        pausedFrom = block.number + 150;
    }

    function _feePercent(address, address to, uint256) internal view override returns (uint256) {
        if (to == uniswapV2Pair && block.number >= pausedFrom) revert TradeRefused();
        return 1;
    }
}
