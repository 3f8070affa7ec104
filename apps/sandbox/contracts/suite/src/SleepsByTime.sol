// SPDX-License-Identifier: MIT
pragma solidity 0.8.30;

import {PairToken} from "./PairToken.sol";
import {SuiteToken} from "./SuiteToken.sol";

/// Sells stop for ever two hours after deployment.
contract SleepsByTime is PairToken {

    uint256 private immutable _until;
    constructor(address pair) SuiteToken("Maple", "MAPLE") PairToken(pair) {
        _until = block.timestamp + 2 hours;
    }

    function _onSell(address, uint256) internal view override returns (uint256) {
        require(block.timestamp < _until, "TransferHelper: TRANSFER_FROM_FAILED");
        return 0;
    }
}
