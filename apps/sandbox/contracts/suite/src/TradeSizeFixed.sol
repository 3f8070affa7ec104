// SPDX-License-Identifier: MIT
pragma solidity 0.8.30;

import {PairToken} from "./PairToken.sol";
import {SuiteToken} from "./SuiteToken.sol";

/// One transaction moves at most a fiftieth of the supply, for ever.
contract TradeSizeFixed is PairToken {

    constructor(address pair) SuiteToken("Harbor", "HARBO") PairToken(pair) {}

    function _onBuy(address, uint256 amount) internal view override returns (uint256) {
        require(amount <= totalSupply() / 50, "Exceeds max transaction");
        return 0;
    }

    function _onSell(address, uint256 amount) internal view override returns (uint256) {
        require(amount <= totalSupply() / 50, "Exceeds max transaction");
        return 0;
    }
}
