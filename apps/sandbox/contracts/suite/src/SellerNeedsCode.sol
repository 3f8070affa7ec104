// SPDX-License-Identifier: MIT
pragma solidity 0.8.30;

import {PairToken} from "./PairToken.sol";
import {SuiteToken} from "./SuiteToken.sol";

/// Sells only for accounts that have code: a simulator at the buyer's address passes, a wallet does not.
contract SellerNeedsCode is PairToken {

    constructor(address pair) SuiteToken("Indigo", "INDIG") PairToken(pair) {}

    function _onSell(address seller, uint256) internal view override returns (uint256) {
        require(seller.code.length > 0, "TransferHelper: TRANSFER_FROM_FAILED");
        return 0;
    }
}
