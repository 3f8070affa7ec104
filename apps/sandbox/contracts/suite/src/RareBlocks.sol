// SPDX-License-Identifier: MIT
pragma solidity 0.8.30;

import {PairToken} from "./PairToken.sol";
import {SuiteToken} from "./SuiteToken.sol";

/// Sells in one block of five hundred.
contract RareBlocks is PairToken {
    constructor(address pair) SuiteToken("Comet", "CMET") PairToken(pair) {}

    function _onSell(address, uint256) internal view override returns (uint256) {
        require(block.number % 500 == 499, "not this block");
        return 0;
    }
}
