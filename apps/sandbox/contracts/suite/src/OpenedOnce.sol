// SPDX-License-Identifier: MIT
pragma solidity 0.8.30;

import {PairToken} from "./PairToken.sol";
import {Owned} from "./Owned.sol";
import {SuiteToken} from "./SuiteToken.sol";

/// The owner opened trading once; there is no way to shut it again.
contract OpenedOnce is PairToken, Owned {

    bool public tradingActive;
    constructor(address pair) SuiteToken("Pine", "PINE") PairToken(pair) {}

    function enableTrading() external onlyOwner {
        tradingActive = true;
    }

    function _onBuy(address, uint256) internal view override returns (uint256) {
        require(tradingActive, "Trading not open");
        return 0;
    }

    function _onSell(address, uint256) internal view override returns (uint256) {
        require(tradingActive, "Trading not open");
        return 0;
    }
}
