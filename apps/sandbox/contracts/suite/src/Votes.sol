// SPDX-License-Identifier: MIT
pragma solidity 0.8.30;

import {SuiteToken} from "./SuiteToken.sol";

/// Keeps a history of votes with every movement.
contract Votes is SuiteToken {

    struct Checkpoint {
        uint32 fromBlock;
        uint224 votes;
    }

    mapping(address => address) public delegates;
    mapping(address => Checkpoint[]) private _checkpoints;

    event DelegateVotesChanged(address indexed delegate, uint256 previousVotes, uint256 newVotes);
    constructor() SuiteToken("Glint", "GLINT") {}

    function delegate(address delegatee) external {
        address before = delegates[msg.sender];
        delegates[msg.sender] = delegatee;
        _shift(before, delegatee, _balances[msg.sender]);
    }

    function getVotes(address account) public view returns (uint256) {
        uint256 count = _checkpoints[account].length;
        return count == 0 ? 0 : _checkpoints[account][count - 1].votes;
    }

    function _update(address from, address to, uint256 amount) internal override {
        _move(from, to, amount);
        _shift(delegates[from], delegates[to], amount);
    }

    function _shift(address from, address to, uint256 amount) private {
        if (from == to || amount == 0) return;
        if (from != address(0)) _write(from, getVotes(from) - amount);
        if (to != address(0)) _write(to, getVotes(to) + amount);
    }

    function _write(address account, uint256 votes) private {
        emit DelegateVotesChanged(account, getVotes(account), votes);
        _checkpoints[account].push(Checkpoint(uint32(block.number), uint224(votes)));
    }
}
