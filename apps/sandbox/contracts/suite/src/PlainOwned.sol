// SPDX-License-Identifier: MIT
pragma solidity 0.8.30;

import {SuiteToken} from "./SuiteToken.sol";
import {Owned} from "./Owned.sol";

/// Nothing but balances; an owner who can do nothing.
contract PlainOwned is SuiteToken, Owned {

    constructor() SuiteToken("Reef", "REEF") {}

}
