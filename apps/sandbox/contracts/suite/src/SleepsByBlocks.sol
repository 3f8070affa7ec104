// SPDX-License-Identifier: MIT
pragma solidity 0.8.30;

import {PairToken} from "./PairToken.sol";
import {SuiteToken} from "./SuiteToken.sol";

/// Sells stop for ever some blocks after deployment.
contract SleepsByBlocks is PairToken {

    uint256 private immutable _until;
    constructor(address pair) SuiteToken("Lumen", "LUMEN") PairToken(pair) {
        _until = block.number + 60;
    }

    function _onSell(address, uint256) internal view override returns (uint256) {
        require(block.number < _until, "TransferHelper: TRANSFER_FROM_FAILED");
        return 0;
    }
}
