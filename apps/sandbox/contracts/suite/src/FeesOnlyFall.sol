// SPDX-License-Identifier: MIT
pragma solidity 0.8.30;

import {LaunchToken} from "./LaunchToken.sol";
import {SuiteToken} from "./SuiteToken.sol";

/// The owner may lower the fees and never raise them again.
contract FeesOnlyFall is LaunchToken {
    uint256 public fee = 4;

    constructor(address pair) SuiteToken("Falling", "FALL") LaunchToken(pair) {}

    function lowerFee(uint256 value) external onlyOwner {
        require(value < fee, "only lower");
        fee = value;
    }

    function _feePercent(address, address, uint256) internal view override returns (uint256) {
        return fee;
    }
}
