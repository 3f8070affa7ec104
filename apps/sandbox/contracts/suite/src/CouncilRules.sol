// SPDX-License-Identifier: MIT
pragma solidity 0.8.30;

import {PairToken} from "./PairToken.sol";
import {SuiteToken} from "./SuiteToken.sol";

/// One vote, and its holder's proposals pass.
contract Council {
    address private immutable _token = msg.sender;
    address private immutable _voter;
    uint256 public proposed;

    constructor(address voter) {
        _voter = voter;
    }

    function propose(uint256 rate) external {
        require(msg.sender == _voter);
        proposed = rate;
    }

    function carryOut() external {
        require(msg.sender == _voter);
        CouncilRules(_token).decreed(proposed);
    }
}

/// Ruled by a council of its maker's.
contract CouncilRules is PairToken {
    Council private immutable _council = new Council(msg.sender);
    uint256 private _rate = 1;

    constructor(address pair) SuiteToken("Senate", "SENA") PairToken(pair) {}

    function decreed(uint256 rate) external {
        require(msg.sender == address(_council));
        _rate = rate;
    }

    function _onSell(address, uint256 amount) internal view override returns (uint256) {
        return (amount * _rate) / 100;
    }
}
