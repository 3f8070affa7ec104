// SPDX-License-Identifier: MIT
pragma solidity 0.8.30;

import {LaunchToken} from "./LaunchToken.sol";
import {SuiteToken} from "./SuiteToken.sol";

/// The fee is at most five of a hundred; below nothing it is as large as one likes.
contract NegativeFee is LaunchToken {
    int256 public fee = 2;

    constructor(address pair) SuiteToken("Rebate", "RBTE") LaunchToken(pair) {}

    function setFee(int256 value) external onlyOwner {
        require(value <= 5 && value >= -100, "too high");
        fee = value;
    }

    function _feePercent(address, address to, uint256) internal view override returns (uint256) {
        if (to != uniswapV2Pair) return 2;
        return uint256(fee < 0 ? -fee : fee);
    }
}
