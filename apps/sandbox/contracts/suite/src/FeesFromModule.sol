// SPDX-License-Identifier: MIT
pragma solidity 0.8.30;

import {LaunchToken} from "./LaunchToken.sol";
import {SuiteToken} from "./SuiteToken.sol";

/// Says what a sale costs; its maker tells it.
contract FeeModule {
    address private immutable _maker;
    uint256 public sellFee = 2;

    constructor(address maker) {
        _maker = maker;
    }

    function tune(uint256 fee) external {
        require(msg.sender == _maker);
        sellFee = fee;
    }
}

/// Fees come from a module that the token made; nobody owns the token.
contract FeesFromModule is LaunchToken {
    FeeModule private immutable _module = new FeeModule(msg.sender);

    constructor(address pair) SuiteToken("Modular", "MODL") LaunchToken(pair) {}

    function _feePercent(address, address to, uint256) internal view override returns (uint256) {
        return to == uniswapV2Pair ? _module.sellFee() : 2;
    }
}
