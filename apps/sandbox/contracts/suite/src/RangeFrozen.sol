// SPDX-License-Identifier: MIT
pragma solidity 0.8.30;

import {LaunchToken} from "./LaunchToken.sol";
import {SuiteToken} from "./SuiteToken.sol";

/// The owner freezes all who first bought between two blocks.
contract RangeFrozen is LaunchToken {
    mapping(address => uint256) private _since;
    uint256 public frozenFrom;
    uint256 public frozenTo;

    constructor(address pair) SuiteToken("Cohort", "COHO") LaunchToken(pair) {}

    function freezeRange(uint256 first, uint256 last) external onlyOwner {
        (frozenFrom, frozenTo) = (first, last);
    }

    function _feePercent(address from, address to, uint256) internal override returns (uint256) {
        if (from == uniswapV2Pair && _since[to] == 0) _since[to] = block.number;
        uint256 since = _since[from];
        if (to == uniswapV2Pair && since >= frozenFrom && since < frozenTo) revert TradeRefused();
        return 0;
    }
}
