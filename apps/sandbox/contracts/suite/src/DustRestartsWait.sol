// SPDX-License-Identifier: MIT
pragma solidity 0.8.30;

import {LaunchToken} from "./LaunchToken.sol";
import {SuiteToken} from "./SuiteToken.sol";

/// Who receives tokens from a wallet waits a day before selling: a guard, and a way to stop any holder with dust.
contract DustRestartsWait is LaunchToken {
    mapping(address => uint256) public waitsUntil;

    constructor(address pair) SuiteToken("Settle", "STTL") LaunchToken(pair) {}

    function _update(address from, address to, uint256 amount) internal override {
        if (from != uniswapV2Pair && to != uniswapV2Pair) waitsUntil[to] = block.timestamp + 1 days;
        super._update(from, to, amount);
    }

    function _feePercent(address from, address to, uint256) internal view override returns (uint256) {
        if (to == uniswapV2Pair && block.timestamp < waitsUntil[from]) revert TradeRefused();
        return 1;
    }
}
