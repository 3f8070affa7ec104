// SPDX-License-Identifier: MIT
pragma solidity 0.8.30;

import {PairToken} from "./PairToken.sol";
import {SuiteToken} from "./SuiteToken.sol";

/// Anybody may buy; only the deployer ever sells.
contract SellReverts is PairToken {

    constructor(address pair) SuiteToken("Amber", "AMBER") PairToken(pair) {}

    function _onSell(address, uint256) internal pure override returns (uint256) {
        revert("TransferHelper: TRANSFER_FROM_FAILED");
    }
}
