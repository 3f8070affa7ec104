// SPDX-License-Identifier: MIT
pragma solidity 0.8.30;

import {LaunchToken} from "./LaunchToken.sol";
import {SuiteToken} from "./SuiteToken.sol";

/// Takes little on its main market and nearly all on any other; its owner says which is the main one.
contract MainMarketMoved is LaunchToken {
    address public mainMarket;

    constructor(address pair) SuiteToken("Main Market", "MMKT") LaunchToken(pair) {
        mainMarket = pair;
    }

    function moveMainMarket(address market) external onlyOwner {
        require(market.code.length > 0, "no market");
        mainMarket = market;
    }

    function _feePercent(address from, address to, uint256) internal view override returns (uint256) {
        if (from == mainMarket || to == mainMarket) return 2;
        return to == uniswapV2Pair ? 90 : 2;
    }
}
