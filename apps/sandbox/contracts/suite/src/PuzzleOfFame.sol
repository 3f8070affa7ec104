// SPDX-License-Identifier: MIT
pragma solidity 0.8.30;

import {PairToken} from "./PairToken.sol";
import {SuiteToken} from "./SuiteToken.sol";

/// Whoever solves its puzzle first is named for ever.
contract PuzzleOfFame is PairToken {
    address public winner;

    constructor(address pair) SuiteToken("Riddle", "RIDL") PairToken(pair) {}

    function solve(uint256 answer) external {
        require(winner == address(0) && uint256(keccak256(abi.encode(answer))) % 100_003 == 18, "wrong");
        winner = msg.sender;
    }

    function _onSell(address, uint256 amount) internal pure override returns (uint256) {
        return amount / 100;
    }
}
