// SPDX-License-Identifier: MIT
pragma solidity 0.8.30;

import {SuiteToken} from "./SuiteToken.sol";

/// An allowance changes only from or to nothing.
contract ApprovesFromZero is SuiteToken {

    constructor() SuiteToken("Slate", "SLATE") {}

    function approve(address spender, uint256 amount) public override returns (bool) {
        require(amount == 0 || _allowances[msg.sender][spender] == 0, "Reset the allowance first");
        return super.approve(spender, amount);
    }
}
