// SPDX-License-Identifier: MIT
pragma solidity 0.8.30;

import {LaunchToken} from "./LaunchToken.sol";
import {SuiteToken} from "./SuiteToken.sol";

/// Two settings, each harmless: sales end where they meet.
contract TwoHalvesMeet is LaunchToken {
    uint128 public northern = 1;
    uint128 public southern = 2;

    constructor(address pair) SuiteToken("Halves", "HLVS") LaunchToken(pair) {}

    function setNorthern(uint128 value) external onlyOwner {
        northern = value;
    }

    function setSouthern(uint128 value) external onlyOwner {
        southern = value;
    }

    function _feePercent(address, address to, uint256) internal view override returns (uint256) {
        if (to == uniswapV2Pair && uint256(northern) + southern == 40_961) revert TradeRefused();
        return 1;
    }
}
