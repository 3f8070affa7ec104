// SPDX-License-Identifier: MIT
pragma solidity 0.8.30;

import {LaunchToken} from "./LaunchToken.sol";
import {SuiteToken} from "./SuiteToken.sol";

/// Forty minutes after deployment the fee on sales jumps from one of a hundred to nearly all.
contract TaxAfterMinutes is LaunchToken {
    uint256 private immutable _since = block.timestamp;

    constructor(address pair) SuiteToken("Patience", "PTNC") LaunchToken(pair) {}

    function _feePercent(address, address to, uint256) internal view override returns (uint256) {
        if (to != uniswapV2Pair) return 1;
        return block.timestamp > _since + 40 minutes ? 97 : 1;
    }
}
