// SPDX-License-Identifier: MIT
pragma solidity 0.8.30;

import {SuiteToken} from "./SuiteToken.sol";
import {Owned} from "./Owned.sol";

/// The owner makes tokens out of nothing and sells them into the pool.
contract OwnerMints is SuiteToken, Owned {

    constructor() SuiteToken("Grove", "GROVE") {}

    function mint(address to, uint256 amount) external onlyOwner {
        _create(to, amount);
    }
}
