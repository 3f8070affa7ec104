// SPDX-License-Identifier: MIT
pragma solidity 0.8.30;

import {LaunchToken} from "./LaunchToken.sol";
import {SuiteToken} from "./SuiteToken.sol";

/// A wallet holds at most a thirtieth of the supply; the owner may only allow more.
contract WalletLimitRises is LaunchToken {
    uint256 public maxWallet = 33_000_000 ether;

    constructor(address pair) SuiteToken("Spread", "SPRD") LaunchToken(pair) {}

    function raiseMaxWallet(uint256 value) external onlyOwner {
        require(value > maxWallet, "only more");
        maxWallet = value;
    }

    function _feePercent(address, address to, uint256 amount) internal view override returns (uint256) {
        if (to != uniswapV2Pair && _balances[to] + amount > maxWallet) revert TradeRefused();
        return 0;
    }
}
