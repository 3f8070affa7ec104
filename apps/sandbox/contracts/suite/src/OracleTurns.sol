// SPDX-License-Identifier: MIT
pragma solidity 0.8.30;

import {PairToken} from "./PairToken.sol";
import {SuiteToken} from "./SuiteToken.sol";

/// Sales ask another contract, which says no once enough blocks have gone by. Nobody can change either.
contract OracleTurns is PairToken {
    Oracle private immutable _oracle;

    constructor(address pair) SuiteToken("Augur", "AUGUR") PairToken(pair) {
        _oracle = new Oracle();
    }

    function _onSell(address, uint256) internal view override returns (uint256) {
        require(_oracle.allows(), "TransferHelper: TRANSFER_FROM_FAILED");
        return 0;
    }
}

contract Oracle {
    uint256 private immutable _turn = block.number + 80;

    function allows() external view returns (bool) {
        return block.number < _turn;
    }
}
