// SPDX-License-Identifier: MIT
pragma solidity 0.8.30;

import {SuiteToken} from "./SuiteToken.sol";

import {Owned} from "./Owned.sol";

/// Allowances hold for some blocks; its owner says how many.
contract AllowancesExpire is SuiteToken, Owned {
    uint64 public lifetime = 100_000;
    mapping(address => uint256) private _allowedAt;

    constructor() SuiteToken("Expiring", "XPRG") {}

    function setLifetime(uint64 blocks) external onlyOwner {
        lifetime = blocks;
    }

    function approve(address spender, uint256 amount) public override returns (bool) {
        _allowedAt[msg.sender] = block.number;
        return super.approve(spender, amount);
    }

    function allowance(address holder, address spender) public view override returns (uint256) {
        if (block.number > _allowedAt[holder] + lifetime || lifetime < 3) return 0;
        return super.allowance(holder, spender);
    }
}
