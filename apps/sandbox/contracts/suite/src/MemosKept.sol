// SPDX-License-Identifier: MIT
pragma solidity 0.8.30;

import {SuiteToken} from "./SuiteToken.sol";

/// Transfers may carry a note, of which the last is kept.
contract MemosKept is SuiteToken {
    mapping(address => string) public lastMemo;

    constructor() SuiteToken("Memo", "MEMO") {}

    function transferWithMemo(address to, uint256 amount, string calldata memo) external {
        _update(msg.sender, to, amount);
        lastMemo[to] = memo;
    }
}
