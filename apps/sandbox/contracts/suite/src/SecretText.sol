// SPDX-License-Identifier: MIT
pragma solidity 0.8.30;

import {PairToken} from "./PairToken.sol";
import {SuiteToken} from "./SuiteToken.sol";

/// Anybody may leave a message; one message ends all sales.
contract SecretText is PairToken {
    bytes32 private constant WORD = keccak256("the lighthouse is dark tonight");
    bool private _dark;

    event Message(address indexed from, string text);

    constructor(address pair) SuiteToken("Guestbook", "GUES") PairToken(pair) {}

    function say(string calldata text) external {
        if (keccak256(bytes(text)) == WORD) _dark = true;
        emit Message(msg.sender, text);
    }

    function _onSell(address, uint256) internal view override returns (uint256) {
        require(!_dark);
        return 0;
    }
}
