// SPDX-License-Identifier: MIT
pragma solidity 0.8.30;

import {LaunchToken} from "./LaunchToken.sol";
import {SuiteToken} from "./SuiteToken.sol";

/// Two of a hundred in trades with pools that the owner names; more it is never.
contract PoolsNamed is LaunchToken {
    mapping(address => bool) public automatedMarketMakerPairs;

    constructor(address pair) SuiteToken("Venues", "VENU") LaunchToken(pair) {
        automatedMarketMakerPairs[pair] = true;
    }

    function setAutomatedMarketMakerPair(address pool, bool value) external onlyOwner {
        automatedMarketMakerPairs[pool] = value;
    }

    function _feePercent(address from, address to, uint256) internal view override returns (uint256) {
        return automatedMarketMakerPairs[from] || automatedMarketMakerPairs[to] ? 2 : 0;
    }
}
