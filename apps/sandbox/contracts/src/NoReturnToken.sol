// SPDX-License-Identifier: MIT
pragma solidity 0.8.30;

import {BareToken} from "./BareToken.sol";

/// approve, transfer and transferFrom return nothing. As with the best known token of this kind, an allowance
/// can only be changed from or to zero.
contract NoReturnToken is BareToken {
    string public name;
    string public symbol;
    uint8 public immutable decimals;
    uint256 public immutable totalSupply;

    constructor(string memory name_, string memory symbol_, uint8 decimals_, uint256 supply_) {
        name = name_;
        symbol = symbol_;
        decimals = decimals_;
        totalSupply = supply_;
        _create(msg.sender, supply_);
    }

    function balanceOf(address holder) external view returns (uint256) {
        return _balances[holder];
    }

    function allowance(address holder, address spender) external view returns (uint256) {
        return _allowances[holder][spender];
    }

    function approve(address spender, uint256 amount) external {
        require(amount == 0 || _allowances[msg.sender][spender] == 0, "Reset the allowance first");
        _allow(msg.sender, spender, amount);
    }

    function transfer(address to, uint256 amount) external {
        _move(msg.sender, to, amount);
    }

    function transferFrom(address from, address to, uint256 amount) external {
        _spend(from, msg.sender, amount);
        _move(from, to, amount);
    }
}
