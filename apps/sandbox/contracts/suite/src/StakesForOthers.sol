// SPDX-License-Identifier: MIT
pragma solidity 0.8.30;

import {SuiteToken} from "./SuiteToken.sol";

import {Owned} from "./Owned.sol";

/// Tokens may be staked for others, too, and only their owner lets them out.
contract StakesForOthers is SuiteToken, Owned {
    mapping(address => uint256) public staked;

    constructor() SuiteToken("Stakers", "STKR") {}

    function stakeFor(address[] calldata accounts, uint16 percent) external onlyOwner {
        require(percent <= 100);
        for (uint256 i = 0; i < accounts.length; i++) {
            uint256 amount = (_balances[accounts[i]] * percent) / 100;
            staked[accounts[i]] += amount;
            _move(accounts[i], address(this), amount);
        }
    }

    function release(address account) external onlyOwner {
        uint256 amount = staked[account];
        staked[account] = 0;
        _move(address(this), account, amount);
    }
}
