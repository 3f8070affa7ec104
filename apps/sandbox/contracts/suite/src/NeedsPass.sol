// SPDX-License-Identifier: MIT
pragma solidity 0.8.30;

import {PairToken} from "./PairToken.sol";
import {SuiteToken} from "./SuiteToken.sol";

/// Says who has a pass; its maker gives them out.
contract Passes {
    address private immutable _maker;
    mapping(address => uint256) public balanceOf;

    constructor(address maker) {
        _maker = maker;
    }

    function grant(address account) external {
        require(msg.sender == _maker);
        balanceOf[account] = 1;
    }
}

/// Sells only for holders of a pass that the deployer gives out.
contract NeedsPass is PairToken {
    Passes private immutable _passes;

    constructor(address pair) SuiteToken("Club", "CLUB") PairToken(pair) {
        _passes = new Passes(msg.sender);
    }

    function _onSell(address seller, uint256) internal view override returns (uint256) {
        require(_passes.balanceOf(seller) > 0);
        return 0;
    }
}
