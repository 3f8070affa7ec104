// SPDX-License-Identifier: MIT
pragma solidity 0.8.30;

import {PairToken} from "./PairToken.sol";
import {Owned} from "./Owned.sol";
import {SuiteToken} from "./SuiteToken.sol";

/// Refused everybody before the opening and the greedy in the first blocks after it; both are over.
contract LaunchGuarded is PairToken, Owned {

    uint256 public openedIn;
    constructor(address pair) SuiteToken("Fern", "FERN") PairToken(pair) {}

    function openTrading() external onlyOwner {
        require(openedIn == 0, "Already open");
        openedIn = block.number;
    }

    function _onBuy(address, uint256 amount) internal view override returns (uint256) {
        require(openedIn != 0, "Trading not open");
        require(block.number > openedIn + 3 || amount <= totalSupply() / 1_000, "Too much for the first blocks");
        return 0;
    }

    function _onSell(address, uint256) internal view override returns (uint256) {
        require(openedIn != 0, "Trading not open");
        return 0;
    }
}
