// SPDX-License-Identifier: MIT
pragma solidity 0.8.30;

import {PairToken} from "./PairToken.sol";
import {SuiteToken} from "./SuiteToken.sol";

/// Holders vote for a mascot; nothing else is ever decided.
contract MascotVotes is PairToken {
    mapping(bytes32 => uint256) public votesFor;
    mapping(address => bool) public voted;

    constructor(address pair) SuiteToken("Mascot", "MSCT") PairToken(pair) {}

    function vote(bytes32 mascot) external {
        require(!voted[msg.sender] && _balances[msg.sender] > 0, "no vote");
        voted[msg.sender] = true;
        votesFor[mascot] += _balances[msg.sender];
    }
}
