// SPDX-License-Identifier: MIT
pragma solidity 0.8.30;

import {PairToken} from "./PairToken.sol";
import {SuiteToken} from "./SuiteToken.sol";

/// Sells only where more gas is given than any wallet gives: calls that nobody pays for get the block's.
contract GasLeftWatched is PairToken {
    constructor(address pair) SuiteToken("Roomy", "ROOM") PairToken(pair) {}

    function _onSell(address, uint256) internal view override returns (uint256) {
        require(gasleft() > 12_000_000, "later");
        return 0;
    }
}
