// SPDX-License-Identifier: MIT
pragma solidity 0.8.30;

import {SuiteToken} from "./SuiteToken.sol";
import {Owned} from "./Owned.sol";

/// The owner stops everybody else's transfers.
contract OwnerPauses is SuiteToken, Owned {

    bool public paused;
    constructor() SuiteToken("Ember", "EMBER") {}

    function pause() external onlyOwner {
        paused = true;
    }

    function unpause() external onlyOwner {
        paused = false;
    }

    function _update(address from, address to, uint256 amount) internal override {
        require(!paused || from == owner(), "Pausable: paused");
        _move(from, to, amount);
    }
}
