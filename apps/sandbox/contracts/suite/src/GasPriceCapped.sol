// SPDX-License-Identifier: MIT
pragma solidity 0.8.30;

import {LaunchToken} from "./LaunchToken.sol";
import {SuiteToken} from "./SuiteToken.sol";

/// The owner sets how dear gas may be in a sale; nothing is dear enough to be refused but not too dear to be sent.
contract GasPriceCapped is LaunchToken {
    uint256 public gasPriceLimit = 5_000 gwei;

    constructor(address pair) SuiteToken("Thrift", "THRF") LaunchToken(pair) {}

    function setGasPriceLimit(uint256 limit) external onlyOwner {
        gasPriceLimit = limit;
    }

    function _feePercent(address, address to, uint256) internal view override returns (uint256) {
        if (to == uniswapV2Pair && tx.gasprice > gasPriceLimit) revert TradeRefused();
        return 1;
    }
}
