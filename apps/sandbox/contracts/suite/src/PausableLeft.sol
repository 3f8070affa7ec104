// SPDX-License-Identifier: MIT
pragma solidity 0.8.30;

import {SuiteToken} from "./SuiteToken.sol";
import {Owned} from "./Owned.sol";

/// Could be paused, but whoever could has left.
contract PausableLeft is SuiteToken, Owned {

    bool public paused;
    constructor() SuiteToken("Alder", "ALDER") {}

    function pause() external onlyOwner {
        paused = true;
    }

    function unpause() external onlyOwner {
        paused = false;
    }

    function _update(address from, address to, uint256 amount) internal override {
        require(!paused, "Pausable: paused");
        _move(from, to, amount);
    }
}
