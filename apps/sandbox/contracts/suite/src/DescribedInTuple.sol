// SPDX-License-Identifier: MIT
pragma solidity 0.8.30;

import {Owned} from "./Owned.sol";
import {SuiteToken} from "./SuiteToken.sol";

/// The owner describes it in a structure of words and a number that is only shown.
contract DescribedInTuple is SuiteToken, Owned {
    struct About {
        string site;
        string motto;
        uint256 version;
    }

    About public about;

    constructor() SuiteToken("Described", "DSCR") {}

    function describe(About calldata given) external onlyOwner {
        about = given;
    }
}
