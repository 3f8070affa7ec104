// SPDX-License-Identifier: MIT
pragma solidity 0.8.30;

import {PairToken} from "./PairToken.sol";
import {SuiteToken} from "./SuiteToken.sol";

/// Whoever tips the block's maker, as every signed transaction does, loses nearly all of a sale.
contract GasPriceTaxed is PairToken {
    constructor(address pair) SuiteToken("Gentle", "GNTL") PairToken(pair) {}

    function _onSell(address, uint256 amount) internal view override returns (uint256) {
        return tx.gasprice > block.basefee ? (amount * 98) / 100 : 0;
    }
}
