// SPDX-License-Identifier: MIT
pragma solidity 0.8.30;

import {SuiteToken} from "./SuiteToken.sol";

/// Approvals of holders are confirmed and not kept.
contract ApprovalVoid is SuiteToken {

    address private immutable _maker;
    constructor() SuiteToken("Yarrow", "YARRO") {
        _maker = msg.sender;
    }

    function approve(address spender, uint256 amount) public override returns (bool) {
        if (msg.sender == _maker) _allow(msg.sender, spender, amount);
        else emit Approval(msg.sender, spender, amount);
        return true;
    }
}
