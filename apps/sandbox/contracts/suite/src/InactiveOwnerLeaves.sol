// SPDX-License-Identifier: MIT
pragma solidity 0.8.30;

import {Owned} from "./Owned.sol";
import {SuiteToken} from "./SuiteToken.sol";

/// An owner who does nothing for a year is removed by anybody.
contract InactiveOwnerLeaves is SuiteToken, Owned {
    uint256 public activeAt = block.timestamp;
    string public notice;

    constructor() SuiteToken("Steward", "STWD") {}

    function post(string calldata text) external onlyOwner {
        notice = text;
        activeAt = block.timestamp;
    }

    function removeOwner() external {
        require(block.timestamp > activeAt + 365 days, "active");
        _setOwner(address(0));
    }
}
