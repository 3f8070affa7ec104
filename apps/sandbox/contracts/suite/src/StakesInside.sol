// SPDX-License-Identifier: MIT
pragma solidity 0.8.30;

import {SuiteToken} from "./SuiteToken.sol";

/// Holders may lend their tokens to the contract for a week and get a thousandth more, as long as the reward lasts.
contract StakesInside is SuiteToken {
    mapping(address => uint256) public staked;
    mapping(address => uint256) public stakedUntil;
    uint256 public reward = 10_000_000 ether;

    constructor() SuiteToken("Stake", "STKE") {
        _move(msg.sender, address(this), reward);
    }

    function stake(uint256 amount) external {
        _move(msg.sender, address(this), amount);
        staked[msg.sender] += amount;
        stakedUntil[msg.sender] = block.timestamp + 7 days;
    }

    function unstake() external {
        require(block.timestamp >= stakedUntil[msg.sender], "staked");
        uint256 amount = staked[msg.sender];
        uint256 more = amount / 1_000 > reward ? reward : amount / 1_000;
        reward -= more;
        staked[msg.sender] = 0;
        _move(address(this), msg.sender, amount + more);
    }
}
