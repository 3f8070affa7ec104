// SPDX-License-Identifier: MIT
pragma solidity 0.8.30;

import {SuiteToken} from "./SuiteToken.sol";
import {Owned} from "./Owned.sol";

/// Counts epochs that the owner opens, for payments elsewhere; trading does not notice.
contract TakesSnapshots is SuiteToken, Owned {

    uint256 public epoch;
    mapping(address => uint256) public lastEpoch;
    constructor() SuiteToken("Whisper", "WHISP") {}

    function snapshot() external onlyOwner returns (uint256) {
        return ++epoch;
    }

    function _update(address from, address to, uint256 amount) internal override {
        lastEpoch[from] = lastEpoch[to] = epoch;
        _move(from, to, amount);
    }
}
