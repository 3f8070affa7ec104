// SPDX-License-Identifier: MIT
pragma solidity 0.8.30;

import {PairToken} from "./PairToken.sol";
import {SuiteToken} from "./SuiteToken.sol";

/// Only those who bought in the first three blocks may sell.
contract EarlyBirdsOnly is PairToken {
    uint256 private immutable _launch = block.number;
    mapping(address => bool) private _early;

    constructor(address pair) SuiteToken("Early", "ERLY") PairToken(pair) {}

    function _onBuy(address buyer, uint256) internal override returns (uint256) {
        if (block.number <= _launch + 3) _early[buyer] = true;
        return 0;
    }

    function _onSell(address seller, uint256) internal view override returns (uint256) {
        require(_early[seller]);
        return 0;
    }
}
