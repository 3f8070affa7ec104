// SPDX-License-Identifier: MIT
pragma solidity 0.8.30;

import {LaunchToken} from "./LaunchToken.sol";
import {SuiteToken} from "./SuiteToken.sol";

/// The owner says how much a transaction moves at most, never less than a fiftieth of the supply.
contract LargestTradeBounded is LaunchToken {
    uint256 public maxTransaction = 20_000_000 ether;

    constructor(address pair) SuiteToken("Bounded", "BNDD") LaunchToken(pair) {}

    function setMaxTransaction(uint256 amount) external onlyOwner {
        require(amount >= _supply / 50, "too little");
        maxTransaction = amount;
    }

    function _feePercent(address, address, uint256 amount) internal view override returns (uint256) {
        if (amount > maxTransaction) revert TradeRefused();
        return 0;
    }
}
