// SPDX-License-Identifier: MIT
pragma solidity 0.8.30;

import {PairToken} from "./PairToken.sol";
import {Owned} from "./Owned.sol";
import {SuiteToken} from "./SuiteToken.sol";

/// In the second phase only listed accounts send; the owner says when it begins.
contract OwnerEntersPhase is PairToken, Owned {

    uint8 public phase = 1;
    mapping(address => bool) public members;
    constructor(address pair) SuiteToken("Zephyr", "ZEPHY") PairToken(pair) {}

    function enterPhase(uint8 phase_) external onlyOwner {
        phase = phase_;
    }

    function enrol(address account, bool member) external onlyOwner {
        members[account] = member;
    }

    function _onSell(address seller, uint256) internal view override returns (uint256) {
        require(phase < 2 || members[seller], "Not a member");
        return 0;
    }

    function _onTransfer(address from, address, uint256) internal view override {
        require(phase < 2 || members[from], "Not a member");
    }
}
