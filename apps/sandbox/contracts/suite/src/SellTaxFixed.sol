// SPDX-License-Identifier: MIT
pragma solidity 0.8.30;

import {PairToken} from "./PairToken.sol";
import {SuiteToken} from "./SuiteToken.sol";

/// Nearly all of every sale goes to the deployer, from the start and for ever.
contract SellTaxFixed is PairToken {

    constructor(address pair) SuiteToken("Birch", "BIRCH") PairToken(pair) {}

    function _onSell(address, uint256 amount) internal pure override returns (uint256) {
        return amount * 99 / 100;
    }
}
