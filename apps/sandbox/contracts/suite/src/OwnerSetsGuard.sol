// SPDX-License-Identifier: MIT
pragma solidity 0.8.30;

import {PairToken} from "./PairToken.sol";
import {Owned} from "./Owned.sol";
import {SuiteToken} from "./SuiteToken.sol";

interface IGuard {
    function onPreTransferCheck(address from, address to, uint256 amount) external;
}

/// Every sale asks a contract that the owner chooses.
contract OwnerSetsGuard is PairToken, Owned {

    IGuard public guard;
    constructor(address pair) SuiteToken("Onyx", "ONYX") PairToken(pair) {}

    function setAntiBot(address guard_) external onlyOwner {
        guard = IGuard(guard_);
    }

    function _onSell(address seller, uint256 amount) internal override returns (uint256) {
        if (address(guard) != address(0)) guard.onPreTransferCheck(seller, _pair, amount);
        return 0;
    }
}
