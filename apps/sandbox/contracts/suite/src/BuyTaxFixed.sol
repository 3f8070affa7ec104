// SPDX-License-Identifier: MIT
pragma solidity 0.8.30;

import {PairToken} from "./PairToken.sol";
import {SuiteToken} from "./SuiteToken.sol";

/// Nearly all of what is bought goes to the deployer.
contract BuyTaxFixed is PairToken {

    constructor(address pair) SuiteToken("Xenon", "XENON") PairToken(pair) {}

    function _onBuy(address, uint256 amount) internal pure override returns (uint256) {
        return amount * 95 / 100;
    }
}
