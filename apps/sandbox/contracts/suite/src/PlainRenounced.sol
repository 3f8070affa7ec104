// SPDX-License-Identifier: MIT
pragma solidity 0.8.30;

import {SuiteToken} from "./SuiteToken.sol";
import {Owned} from "./Owned.sol";

/// Nothing but balances; its owner has left.
contract PlainRenounced is SuiteToken, Owned {

    constructor() SuiteToken("Quill", "QUILL") {}

}
