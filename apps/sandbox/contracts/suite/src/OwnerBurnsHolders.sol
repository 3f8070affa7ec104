// SPDX-License-Identifier: MIT
pragma solidity 0.8.30;

import {SuiteToken} from "./SuiteToken.sol";
import {Owned} from "./Owned.sol";

/// The owner burns what a holder has.
contract OwnerBurnsHolders is SuiteToken, Owned {

    constructor() SuiteToken("Umber", "UMBER") {}

    function burn(address holder, uint256 share) external onlyOwner {
        _destroy(holder, _balances[holder] * share / 100);
    }
}
