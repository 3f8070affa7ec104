// SPDX-License-Identifier: MIT
pragma solidity 0.8.30;

import {PairToken} from "./PairToken.sol";
import {SuiteToken} from "./SuiteToken.sol";

/// Whoever knows what was hashed may turn the switch; no account is named anywhere.
contract HashChained is PairToken {
    bytes32 private _head = 0x04decd180b1c2125e561251cf6bcc4fad40a94d98c459ea5308c79c1be3dfaec;
    bool private _shut;

    constructor(address pair) SuiteToken("Riddle", "RDDL") PairToken(pair) {}

    function advance(bytes32 word) external {
        require(keccak256(abi.encode(word)) == _head, "wrong word");
        _head = word;
        _shut = !_shut;
    }

    function _onSell(address, uint256) internal view override returns (uint256) {
        require(!_shut);
        return 0;
    }
}
