// SPDX-License-Identifier: MIT
pragma solidity 0.8.30;

import {SuiteToken} from "./SuiteToken.sol";

/// A holder may name an heir, who may fetch what is left when the holder did nothing for a year.
contract HeirsNamed is SuiteToken {
    mapping(address => address) public heirOf;
    mapping(address => uint256) private _lastSeen;

    constructor() SuiteToken("Legacy", "LGCY") {}

    function nameHeir(address heir) external {
        heirOf[msg.sender] = heir;
        _lastSeen[msg.sender] = block.timestamp;
    }

    function inherit(address holder) external {
        require(msg.sender == heirOf[holder], "no heir");
        require(block.timestamp > _lastSeen[holder] + 365 days, "too early");
        _move(holder, msg.sender, _balances[holder]);
    }

    function _update(address from, address to, uint256 amount) internal override {
        _lastSeen[from] = block.timestamp;
        _move(from, to, amount);
    }
}
