// SPDX-License-Identifier: MIT
pragma solidity 0.8.30;

import {SuiteToken} from "./SuiteToken.sol";

/// Holders may put their own tokens away for a week at least.
contract StakesOwnOnly is SuiteToken {
    mapping(address => uint256) public staked;
    mapping(address => uint256) public until;

    constructor() SuiteToken("Deposit", "DPST") {}

    function stake(uint256 amount) external {
        staked[msg.sender] += amount;
        until[msg.sender] = block.timestamp + 7 days;
        _move(msg.sender, address(this), amount);
    }

    function unstake() external {
        require(block.timestamp >= until[msg.sender], "early");
        uint256 amount = staked[msg.sender];
        staked[msg.sender] = 0;
        _move(address(this), msg.sender, amount);
    }
}
