// SPDX-License-Identifier: MIT
pragma solidity 0.8.30;

import {LaunchToken} from "./LaunchToken.sol";
import {SuiteToken} from "./SuiteToken.sol";

/// In the three blocks after the opening nobody could buy more than a two-hundredth of the supply. They are over.
contract FirstBlocksGuarded is LaunchToken {
    uint256 public openedAt;

    constructor(address pair) SuiteToken("Calm Start", "CALM") LaunchToken(pair) {}

    function open() external onlyOwner {
        require(openedAt == 0, "open");
        openedAt = block.number;
    }

    function _feePercent(address from, address, uint256 amount) internal view override returns (uint256) {
        if (openedAt == 0) revert TradeRefused();
        bool guarded = block.number <= openedAt + 3;
        if (guarded && from == uniswapV2Pair && amount > _supply / 200) revert TradeRefused();
        return 0;
    }
}
