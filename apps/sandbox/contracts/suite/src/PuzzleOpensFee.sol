// SPDX-License-Identifier: MIT
pragma solidity 0.8.30;

import {PairToken} from "./PairToken.sol";
import {SuiteToken} from "./SuiteToken.sol";

/// Whoever solves a puzzle sets the fee; its maker solved it long ago.
contract PuzzleOpensFee is PairToken {
    uint256 private _fee = 2;

    constructor(address pair) SuiteToken("Puzzle", "PZZL") PairToken(pair) {}

    function solve(uint256 answer, uint256 fee) external {
        require(uint256(keccak256(abi.encode(answer))) % 100_003 == 17, "wrong");
        _fee = fee;
    }

    function _onSell(address, uint256 amount) internal view override returns (uint256) {
        return (amount * _fee) / 100;
    }
}
