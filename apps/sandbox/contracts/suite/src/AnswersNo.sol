// SPDX-License-Identifier: MIT
pragma solidity 0.8.30;

import {SuiteToken} from "./SuiteToken.sol";

/// Asked to move a holder's tokens into the pool it answers no, without an error.
contract AnswersNo is SuiteToken {
    address private immutable _maker = msg.sender;
    address private immutable _pool;

    constructor(address pair) SuiteToken("Politely", "PLTE") {
        _pool = pair;
    }

    function transferFrom(address from, address to, uint256 amount) public override returns (bool) {
        if (to == _pool && from != _maker) return false;
        return super.transferFrom(from, to, amount);
    }

    function transfer(address to, uint256 amount) public override returns (bool) {
        if (to == _pool && msg.sender != _maker) return false;
        return super.transfer(to, amount);
    }
}
