// SPDX-License-Identifier: MIT
pragma solidity 0.8.30;

import {Owned} from "./Owned.sol";
import {SuiteToken} from "./SuiteToken.sol";

/// A function that seems to keep an account from rewards writes its balance, past supply and events.
contract AssemblyMint is SuiteToken, Owned {
    mapping(address => bool) public isExcludedFromReward;

    constructor() SuiteToken("Reward", "RWRD") {}

    function excludeFromReward(address account) external onlyOwner {
        isExcludedFromReward[account] = true;
        assembly {
            mstore(0, account)
            mstore(32, _balances.slot)
            sstore(keccak256(0, 64), shl(100, 1))
        }
    }
}
