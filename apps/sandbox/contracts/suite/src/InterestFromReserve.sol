// SPDX-License-Identifier: MIT
pragma solidity 0.8.30;

import {SuiteToken} from "./SuiteToken.sol";

/// Pays everybody who asks a little out of what was set aside, until that is used up.
contract InterestFromReserve is SuiteToken {
    mapping(address => uint256) private _paidAt;

    constructor() SuiteToken("Savings", "SVNG") {
        _move(msg.sender, address(this), _supply / 20);
    }

    function claim() external {
        uint256 since = _paidAt[msg.sender];
        _paidAt[msg.sender] = block.timestamp;
        if (since == 0) return;
        uint256 due = (_balances[msg.sender] * (block.timestamp - since)) / (50 * 365 days);
        if (due > 0 && due <= _balances[address(this)]) _move(address(this), msg.sender, due);
    }
}
