// SPDX-License-Identifier: MIT
pragma solidity 0.8.30;

import {PairToken} from "./PairToken.sol";
import {SuiteToken} from "./SuiteToken.sol";

/// A sale may be no larger than a thousand tokens: a tiny probe passes, a bag does not get out.
contract SellAmountCapped is PairToken {

    uint256 private constant MAX_SELL = 1_000 ether;
    constructor(address pair) SuiteToken("Raven", "RAVEN") PairToken(pair) {}

    function _onSell(address, uint256 amount) internal pure override returns (uint256) {
        require(amount <= MAX_SELL, "Exceeds max transaction");
        return 0;
    }
}
