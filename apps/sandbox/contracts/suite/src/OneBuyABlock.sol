// SPDX-License-Identifier: MIT
pragma solidity 0.8.30;

import {LaunchToken} from "./LaunchToken.sol";
import {SuiteToken} from "./SuiteToken.sol";

/// Whoever signs may buy once a block, however many contracts he sends.
contract OneBuyABlock is LaunchToken {
    mapping(address => uint256) private _boughtIn;

    constructor(address pair) SuiteToken("Queue", "QUEU") LaunchToken(pair) {}

    function _feePercent(address from, address, uint256) internal override returns (uint256) {
        if (from != uniswapV2Pair) return 0;
        if (_boughtIn[tx.origin] == block.number) revert TradeRefused();
        _boughtIn[tx.origin] = block.number;
        return 0;
    }
}
