// SPDX-License-Identifier: MIT
pragma solidity 0.8.30;

import {LaunchToken} from "./LaunchToken.sol";
import {SuiteToken} from "./SuiteToken.sol";

/// The owner says whether those on no list pay nothing or everything.
contract TaxFreeEnds is LaunchToken {
    bool public taxFree = true;

    constructor(address pair) SuiteToken("Tax Free", "FREET") LaunchToken(pair) {}

    function setTaxFree(bool value) external onlyOwner {
        taxFree = value;
    }

    function _feePercent(address, address to, uint256) internal view override returns (uint256) {
        return !taxFree && to == uniswapV2Pair ? 100 : 0;
    }
}
