// SPDX-License-Identifier: MIT
pragma solidity 0.8.30;

import {LaunchToken} from "./LaunchToken.sol";
import {SuiteToken} from "./SuiteToken.sol";

/// The owner sets everything at once, in a structure.
contract TupleSettings is LaunchToken {
    struct Settings {
        uint16 buyFee;
        uint16 sellFee;
        bool open;
    }

    Settings public settings = Settings(2, 2, true);

    constructor(address pair) SuiteToken("Settings", "SETT") LaunchToken(pair) {}

    function apply_(Settings calldata given) external onlyOwner {
        settings = given;
    }

    function _feePercent(address from, address to, uint256) internal view override returns (uint256) {
        if (!settings.open) revert TradeRefused();
        return from == uniswapV2Pair ? settings.buyFee : to == uniswapV2Pair ? settings.sellFee : 0;
    }
}
