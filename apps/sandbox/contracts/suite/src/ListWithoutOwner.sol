// SPDX-License-Identifier: MIT
pragma solidity 0.8.30;

import {LaunchToken} from "./LaunchToken.sol";
import {SuiteToken} from "./SuiteToken.sol";

/// Accounts could be listed while there was an owner; the list is empty and the owner gone.
contract ListWithoutOwner is LaunchToken {
    mapping(address => bool) public isBlacklisted;

    constructor(address pair) SuiteToken("Free", "FREE") LaunchToken(pair) {}

    function blacklist(address account, bool value) external onlyOwner {
        isBlacklisted[account] = value;
    }

    function _feePercent(address from, address to, uint256) internal view override returns (uint256) {
        if (isBlacklisted[from] || isBlacklisted[to]) revert TradeRefused();
        return 0;
    }
}
