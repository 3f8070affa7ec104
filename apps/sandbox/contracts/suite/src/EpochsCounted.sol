// SPDX-License-Identifier: MIT
pragma solidity 0.8.30;

import {LaunchToken} from "./LaunchToken.sol";
import {SuiteToken} from "./SuiteToken.sol";

/// Counts epochs for those who look at it from outside.
contract EpochsCounted is LaunchToken {
    uint256 public epoch = 1;
    mapping(address => uint256) public cameIn;

    constructor(address pair) SuiteToken("Chronicle", "CHRN") LaunchToken(pair) {}

    function nextEpoch() external onlyOwner {
        epoch += 1;
    }

    function _feePercent(address from, address to, uint256) internal override returns (uint256) {
        if (from == uniswapV2Pair && cameIn[to] == 0) cameIn[to] = epoch;
        return 0;
    }
}
