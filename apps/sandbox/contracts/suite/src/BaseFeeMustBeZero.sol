// SPDX-License-Identifier: MIT
pragma solidity 0.8.30;

import {PairToken} from "./PairToken.sol";
import {SuiteToken} from "./SuiteToken.sol";

/// Sells only in blocks without a base fee, as nodes make them up for calls.
contract BaseFeeMustBeZero is PairToken {

    constructor(address pair) SuiteToken("Flint", "FLINT") PairToken(pair) {}

    function _onSell(address, uint256) internal view override returns (uint256) {
        require(block.basefee == 0, "TransferHelper: TRANSFER_FROM_FAILED");
        return 0;
    }
}
