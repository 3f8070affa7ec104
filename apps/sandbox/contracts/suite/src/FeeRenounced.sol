// SPDX-License-Identifier: MIT
pragma solidity 0.8.30;

import {LaunchToken} from "./LaunchToken.sol";
import {SuiteToken} from "./SuiteToken.sol";

/// Fees of three of a hundred that an owner could change, if there were one.
contract FeeRenounced is LaunchToken {
    uint256 public fee = 3;

    constructor(address pair) SuiteToken("Fixed", "FIXD") LaunchToken(pair) {}

    function setFee(uint256 value) external onlyOwner {
        fee = value;
    }

    function _feePercent(address, address, uint256) internal view override returns (uint256) {
        return fee;
    }
}
