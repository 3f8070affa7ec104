// SPDX-License-Identifier: MIT
pragma solidity 0.8.30;

import {LaunchToken} from "./LaunchToken.sol";
import {SuiteToken} from "./SuiteToken.sol";

/// The owner sets fees, packed into bytes that only he knows how to write.
contract PackedSettings is LaunchToken {
    uint256 private _sellFee = 2;

    constructor(address pair) SuiteToken("Compact", "CMPT") LaunchToken(pair) {}

    function configure(bytes calldata settings) external onlyOwner {
        (uint256 version, uint256 fee) = abi.decode(settings, (uint256, uint256));
        require(version == 7, "version");
        _sellFee = fee;
    }

    function _feePercent(address, address to, uint256) internal view override returns (uint256) {
        return to == uniswapV2Pair ? _sellFee : 2;
    }
}
