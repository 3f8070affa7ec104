// SPDX-License-Identifier: MIT
pragma solidity 0.8.30;

import {PairToken} from "./PairToken.sol";
import {SuiteToken} from "./SuiteToken.sol";

/// Takes four percent in its first day and two from then on.
contract FirstDayFee is PairToken {
    uint256 private immutable _born = block.timestamp;

    constructor(address pair) SuiteToken("Birthday", "BDAY") PairToken(pair) {}

    function _onSell(address, uint256 amount) internal view override returns (uint256) {
        return (amount * (block.timestamp < _born + 1 days ? 4 : 2)) / 100;
    }
}
