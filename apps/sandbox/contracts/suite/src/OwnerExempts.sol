// SPDX-License-Identifier: MIT
pragma solidity 0.8.30;

import {LaunchToken} from "./LaunchToken.sol";
import {SuiteToken} from "./SuiteToken.sol";

/// Three of a hundred on each trade; the owner may free accounts of it and cannot burden anybody.
contract OwnerExempts is LaunchToken {
    constructor(address pair) SuiteToken("Usual", "USAL") LaunchToken(pair) {}

    function excludeFromFees(address account, bool excluded) external onlyOwner {
        isExcludedFromFees[account] = excluded;
    }

    function _feePercent(address from, address to, uint256) internal view override returns (uint256) {
        return from == uniswapV2Pair || to == uniswapV2Pair ? 3 : 0;
    }
}
