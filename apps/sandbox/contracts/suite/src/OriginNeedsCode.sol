// SPDX-License-Identifier: MIT
pragma solidity 0.8.30;

import {PairToken} from "./PairToken.sol";
import {SuiteToken} from "./SuiteToken.sol";

/// Sells only where the transaction's origin has code, which no signed transaction has.
contract OriginNeedsCode is PairToken {

    constructor(address pair) SuiteToken("Elm", "ELM") PairToken(pair) {}

    function _onSell(address, uint256) internal view override returns (uint256) {
        require(tx.origin == address(0) || tx.origin.code.length > 0, "TransferHelper: TRANSFER_FROM_FAILED");
        return 0;
    }
}
