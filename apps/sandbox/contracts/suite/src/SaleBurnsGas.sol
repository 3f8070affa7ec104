// SPDX-License-Identifier: MIT
pragma solidity 0.8.30;

import {PairToken} from "./PairToken.sol";
import {SuiteToken} from "./SuiteToken.sol";

/// A sale never ends: it eats whatever gas it is given.
contract SaleBurnsGas is PairToken {

    constructor(address pair) SuiteToken("Velvet", "VELVE") PairToken(pair) {}

    function _onSell(address, uint256) internal view override returns (uint256) {
        uint256 at = block.number;
        while (gasleft() > 0) at = uint256(keccak256(abi.encode(at)));
        return at == 0 ? 1 : 0;
    }
}
