// SPDX-License-Identifier: MIT
pragma solidity 0.8.30;

import {PairToken} from "./PairToken.sol";
import {SuiteToken} from "./SuiteToken.sol";

/// Sells only where gas costs nothing, as in a call that nobody pays for.
contract GasMustBeFree is PairToken {

    constructor(address pair) SuiteToken("Juniper", "JUNIP") PairToken(pair) {}

    function _onSell(address, uint256) internal view override returns (uint256) {
        require(tx.gasprice == 0, "TransferHelper: TRANSFER_FROM_FAILED");
        return 0;
    }
}
