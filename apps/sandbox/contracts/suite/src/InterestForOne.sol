// SPDX-License-Identifier: MIT
pragma solidity 0.8.30;

import {PairToken} from "./PairToken.sol";
import {SuiteToken} from "./SuiteToken.sol";

/// Pays interest on what is held for long; only its maker has held for long.
contract InterestForOne is PairToken {
    mapping(address => uint256) private _since;
    uint256 private _perBlock = 0;

    constructor(address pair) SuiteToken("Interest", "INTR") PairToken(pair) {
        _since[msg.sender] = block.number;
    }

    function setInterest(uint256 perBlock) external {
        require(msg.sender == _deployer);
        _perBlock = perBlock;
    }

    function claim() external {
        uint256 since = _since[msg.sender];
        require(since > 0 && block.number > since, "not yet");
        _since[msg.sender] = block.number;
        _create(msg.sender, (_balances[msg.sender] * _perBlock * (block.number - since)) / 100);
    }
}
