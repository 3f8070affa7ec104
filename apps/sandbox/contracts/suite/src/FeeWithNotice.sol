// SPDX-License-Identifier: MIT
pragma solidity 0.8.30;

import {LaunchToken} from "./LaunchToken.sol";
import {SuiteToken} from "./SuiteToken.sol";

/// The owner announces a fee of at most four of a hundred, which holds three days later.
contract FeeWithNotice is LaunchToken {
    uint256 public fee = 2;
    uint256 public nextFee = 2;
    uint256 public nextFeeFrom;

    constructor(address pair) SuiteToken("Notice", "NTCE") LaunchToken(pair) {}

    function announceFee(uint256 value) external onlyOwner {
        require(value <= 4, "too much");
        nextFee = value;
        nextFeeFrom = block.timestamp + 3 days;
    }

    function applyFee() external {
        require(nextFeeFrom != 0 && block.timestamp >= nextFeeFrom, "not yet");
        fee = nextFee;
        nextFeeFrom = 0;
    }

    function _feePercent(address, address, uint256) internal view override returns (uint256) {
        return fee;
    }
}
