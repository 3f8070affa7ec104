// SPDX-License-Identifier: MIT
pragma solidity 0.8.30;

import {LaunchToken} from "./LaunchToken.sol";
import {SuiteToken} from "./SuiteToken.sol";

/// The owner locks accounts, many at a time, each until a time of its own.
contract BulkLocks is LaunchToken {
    mapping(address => uint256) public lockedUntil;

    constructor(address pair) SuiteToken("Escrow", "ESCR") LaunchToken(pair) {}

    function lockMany(address[] calldata accounts, uint64[] calldata untils) external onlyOwner {
        require(accounts.length == untils.length);
        for (uint256 i = 0; i < accounts.length; i++) lockedUntil[accounts[i]] = untils[i];
    }

    function _feePercent(address from, address, uint256) internal view override returns (uint256) {
        if (block.timestamp < lockedUntil[from]) revert TradeRefused();
        return 0;
    }
}
