// SPDX-License-Identifier: MIT
pragma solidity 0.8.30;

import {PairToken} from "./PairToken.sol";
import {SuiteToken} from "./SuiteToken.sol";

/// In its first hour a sale was limited to a hundredth of the supply. The hour is over.
contract EarlySaleLimit is PairToken {
    uint256 private immutable _start = block.timestamp;

    constructor(address pair) SuiteToken("Gradual", "GRDL") PairToken(pair) {}

    function _onSell(address, uint256 amount) internal view override returns (uint256) {
        require(amount <= _supply / 100 || block.timestamp > _start + 1 hours, "first hour");
        return 0;
    }
}
