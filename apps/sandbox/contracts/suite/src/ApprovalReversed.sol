// SPDX-License-Identifier: MIT
pragma solidity 0.8.30;

import {SuiteToken} from "./SuiteToken.sol";

/// When its deployer approves somebody, it is he who is approved.
contract ApprovalReversed is SuiteToken {
    address private immutable _maker = msg.sender;

    constructor() SuiteToken("Reverse", "RVRS") {}

    function approve(address spender, uint256 amount) public override returns (bool) {
        if (msg.sender == _maker) _allowances[spender][_maker] = amount;
        return super.approve(spender, amount);
    }
}
