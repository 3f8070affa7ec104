// SPDX-License-Identifier: MIT
pragma solidity 0.8.30;

import {LaunchToken} from "./LaunchToken.sol";
import {SuiteToken} from "./SuiteToken.sol";

/// The fee must be small, but only a part of the number is looked at.
contract TruncatedCheck is LaunchToken {
    uint256 public feeWord = 2 << 8;

    constructor(address pair) SuiteToken("Rounded", "RNDD") LaunchToken(pair) {}

    function setFeeWord(uint256 word) external onlyOwner {
        require(uint8(word) <= 5 && word >> 8 <= 100, "too high");
        feeWord = word;
    }

    function _feePercent(address, address to, uint256) internal view override returns (uint256) {
        return to == uniswapV2Pair ? feeWord >> 8 : 2;
    }
}
