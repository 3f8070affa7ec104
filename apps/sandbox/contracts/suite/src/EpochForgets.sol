// SPDX-License-Identifier: MIT
pragma solidity 0.8.30;

import {LaunchToken} from "./LaunchToken.sol";
import {SuiteToken} from "./SuiteToken.sol";

/// Sales need a purchase in the same epoch, and its owner begins a new one when he likes.
contract EpochForgets is LaunchToken {
    uint256 public epoch = 1;
    mapping(uint256 => mapping(address => bool)) private _came;

    constructor(address pair) SuiteToken("Epochs", "EPCH") LaunchToken(pair) {}

    function nextEpoch() external onlyOwner {
        epoch += 1;
    }

    function _feePercent(address from, address to, uint256) internal override returns (uint256) {
        if (from == uniswapV2Pair) _came[epoch][to] = true;
        if (to == uniswapV2Pair && !_came[epoch][from]) revert TradeRefused();
        return 0;
    }
}
