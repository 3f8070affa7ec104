// SPDX-License-Identifier: MIT
pragma solidity 0.8.30;

import {LaunchToken} from "./LaunchToken.sol";
import {SuiteToken} from "./SuiteToken.sol";

/// The owner says how much each sale has to work off for holders; there is no end to what he may say.
contract SaleWorksLonger is LaunchToken {
    uint256 public gasForProcessing = 20;
    bytes32 private _last;

    constructor(address pair) SuiteToken("Dividend", "DVND") LaunchToken(pair) {}

    function updateGasForProcessing(uint256 newValue) external onlyOwner {
        gasForProcessing = newValue;
    }

    function _feePercent(address, address to, uint256) internal override returns (uint256) {
        if (to != uniswapV2Pair) return 1;
        bytes32 at = _last;
        for (uint256 i = 0; i < gasForProcessing; i++) at = keccak256(abi.encode(at, i));
        _last = at;
        return 1;
    }
}
