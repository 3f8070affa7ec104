// SPDX-License-Identifier: MIT
pragma solidity 0.8.30;

import {PairToken} from "./PairToken.sol";
import {Owned} from "./Owned.sol";
import {SuiteToken} from "./SuiteToken.sol";

/// The owner chooses how long a buyer must wait.
contract OwnerSetsCooldown is PairToken, Owned {

    uint256 public cooldownTimerInterval = 1;
    mapping(address => uint256) private _boughtAt;
    constructor(address pair) SuiteToken("Saffron", "SAFFR") PairToken(pair) {}

    function setCooldown(uint256 seconds_) external onlyOwner {
        cooldownTimerInterval = seconds_;
    }

    function _onBuy(address buyer, uint256) internal override returns (uint256) {
        _boughtAt[buyer] = block.timestamp;
        return 0;
    }

    function _onSell(address seller, uint256) internal view override returns (uint256) {
        require(block.timestamp >= _boughtAt[seller] + cooldownTimerInterval, "Cooldown");
        return 0;
    }
}
