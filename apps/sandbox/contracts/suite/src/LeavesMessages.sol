// SPDX-License-Identifier: MIT
pragma solidity 0.8.30;

import {SuiteToken} from "./SuiteToken.sol";

/// Holders leave messages; nobody listens.
contract LeavesMessages is SuiteToken {
    mapping(address => string) public messageOf;

    event Message(address indexed from, string text);

    constructor() SuiteToken("Wall", "WALL") {}

    function say(string calldata text) external {
        require(_balances[msg.sender] > 0 && bytes(text).length <= 280, "holders only");
        messageOf[msg.sender] = text;
        emit Message(msg.sender, text);
    }
}
