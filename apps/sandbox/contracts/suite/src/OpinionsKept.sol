// SPDX-License-Identifier: MIT
pragma solidity 0.8.30;

import {PairToken} from "./PairToken.sol";
import {SuiteToken} from "./SuiteToken.sol";

/// Large holders may say what they think of others.
contract OpinionsKept is PairToken {
    mapping(address => uint256) public opinions;

    constructor(address pair) SuiteToken("Opinion", "OPIN") PairToken(pair) {}

    function applaud(address account) external {
        require(_balances[msg.sender] * 10 >= _supply, "too small");
        opinions[account]++;
    }

    function _onSell(address, uint256) internal pure override returns (uint256) {
        return 0;
    }
}
