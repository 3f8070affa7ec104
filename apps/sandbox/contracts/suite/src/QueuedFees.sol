// SPDX-License-Identifier: MIT
pragma solidity 0.8.30;

import {LaunchToken} from "./LaunchToken.sol";
import {SuiteToken} from "./SuiteToken.sol";

/// New fees are proposed and then applied, for good order; no time lies between, and no limit holds.
contract QueuedFees is LaunchToken {
    uint256 public sellFee = 2;
    uint256 public proposedFee = 2;

    constructor(address pair) SuiteToken("Council", "CNCL") LaunchToken(pair) {}

    function proposeFee(uint256 fee) external onlyOwner {
        proposedFee = fee;
    }

    function applyFee() external onlyOwner {
        sellFee = proposedFee;
    }

    function _feePercent(address, address to, uint256) internal view override returns (uint256) {
        return to == uniswapV2Pair ? sellFee : 2;
    }
}
