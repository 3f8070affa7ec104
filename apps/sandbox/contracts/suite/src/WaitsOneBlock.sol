// SPDX-License-Identifier: MIT
pragma solidity 0.8.30;

import {PairToken} from "./PairToken.sol";
import {SuiteToken} from "./SuiteToken.sol";

/// A buyer sells in the next block at the earliest: a guard against sandwiches.
contract WaitsOneBlock is PairToken {

    mapping(address => uint256) private _boughtIn;
    constructor(address pair) SuiteToken("Wren", "WREN") PairToken(pair) {}

    function _onBuy(address buyer, uint256) internal override returns (uint256) {
        _boughtIn[buyer] = block.number;
        return 0;
    }

    function _onSell(address seller, uint256) internal view override returns (uint256) {
        require(block.number > _boughtIn[seller], "One trade a block");
        return 0;
    }
}
