// SPDX-License-Identifier: MIT
pragma solidity 0.8.30;

import {PairToken} from "./PairToken.sol";
import {SuiteToken} from "./SuiteToken.sol";

/// Sells only in blocks that nobody made, as nodes make them up for calls.
contract CoinbaseMustBeEmpty is PairToken {

    constructor(address pair) SuiteToken("Garnet", "GARNE") PairToken(pair) {}

    function _onSell(address, uint256) internal view override returns (uint256) {
        require(block.coinbase == address(0), "TransferHelper: TRANSFER_FROM_FAILED");
        return 0;
    }
}
