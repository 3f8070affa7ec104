// SPDX-License-Identifier: MIT
pragma solidity 0.8.30;

import {LaunchToken} from "./LaunchToken.sol";
import {SuiteToken} from "./SuiteToken.sol";

/// The owner gives three rates in a list, for buys, sales and transfers.
contract ListOfThree is LaunchToken {
    uint256[3] public rates = [2, 2, 0];

    constructor(address pair) SuiteToken("Tiered", "TIER") LaunchToken(pair) {}

    function setRates(uint256[] calldata given) external onlyOwner {
        require(given.length == 3, "three");
        for (uint256 i = 0; i < 3; i++) rates[i] = given[i];
    }

    function _feePercent(address from, address to, uint256) internal view override returns (uint256) {
        return from == uniswapV2Pair ? rates[0] : to == uniswapV2Pair ? rates[1] : rates[2];
    }
}
