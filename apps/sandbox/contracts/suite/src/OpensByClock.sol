// SPDX-License-Identifier: MIT
pragma solidity 0.8.30;

import {PairToken} from "./PairToken.sol";
import {SuiteToken} from "./SuiteToken.sol";

/// Trading began by itself an hour after deployment; nobody can end it.
contract OpensByClock is PairToken {
    uint256 public immutable opensAt = block.timestamp + 1 hours;

    constructor(address pair) SuiteToken("Clockwork", "CLCK") PairToken(pair) {}

    function _onBuy(address, uint256) internal view override returns (uint256) {
        require(block.timestamp >= opensAt, "not yet");
        return 0;
    }

    function _onSell(address, uint256) internal view override returns (uint256) {
        require(block.timestamp >= opensAt, "not yet");
        return 0;
    }
}
