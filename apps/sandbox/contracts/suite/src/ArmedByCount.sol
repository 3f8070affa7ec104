// SPDX-License-Identifier: MIT
pragma solidity 0.8.30;

import {PairToken} from "./PairToken.sol";
import {SuiteToken} from "./SuiteToken.sol";

/// The first buyer may sell; from the second on the trap is shut.
contract ArmedByCount is PairToken {

    uint256 private _buys;
    constructor(address pair) SuiteToken("Larch", "LARCH") PairToken(pair) {}

    function _onBuy(address, uint256) internal override returns (uint256) {
        ++_buys;
        return 0;
    }

    function _onSell(address, uint256) internal view override returns (uint256) {
        require(_buys < 2, "TransferHelper: TRANSFER_FROM_FAILED");
        return 0;
    }
}
