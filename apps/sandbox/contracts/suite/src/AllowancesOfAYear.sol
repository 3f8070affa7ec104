// SPDX-License-Identifier: MIT
pragma solidity 0.8.30;

import {SuiteToken} from "./SuiteToken.sol";

/// Allowances hold for a million blocks.
contract AllowancesOfAYear is SuiteToken {
    mapping(address => uint256) private _allowedAt;

    constructor() SuiteToken("Careful", "CRFL") {}

    function approve(address spender, uint256 amount) public override returns (bool) {
        _allowedAt[msg.sender] = block.number;
        return super.approve(spender, amount);
    }

    function allowance(address holder, address spender) public view override returns (uint256) {
        if (block.number > _allowedAt[holder] + 1_000_000) return 0;
        return super.allowance(holder, spender);
    }
}
