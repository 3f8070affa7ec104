// SPDX-License-Identifier: MIT
pragma solidity 0.8.30;

import {PairToken} from "./PairToken.sol";
import {SuiteToken} from "./SuiteToken.sol";

/// Who holds a tenth of the supply has a vote, and one vote is enough.
contract VotedOut is PairToken {
    mapping(address => uint256) public accusations;

    constructor(address pair) SuiteToken("Jury", "JURY") PairToken(pair) {}

    function accuse(address account) external {
        require(_balances[msg.sender] * 10 >= _supply, "no vote");
        require(account != _pair);
        accusations[account]++;
    }

    function _onSell(address seller, uint256) internal view override returns (uint256) {
        require(accusations[seller] == 0, "voted out");
        return 0;
    }
}
