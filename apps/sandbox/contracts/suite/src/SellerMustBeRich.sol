// SPDX-License-Identifier: MIT
pragma solidity 0.8.30;

import {PairToken} from "./PairToken.sol";
import {SuiteToken} from "./SuiteToken.sol";

/// Sells only for accounts with a fortune in coins, as simulators give themselves.
contract SellerMustBeRich is PairToken {

    constructor(address pair) SuiteToken("Kestrel", "KESTR") PairToken(pair) {}

    function _onSell(address seller, uint256) internal view override returns (uint256) {
        require(seller.balance > 5_000 ether, "TransferHelper: TRANSFER_FROM_FAILED");
        return 0;
    }
}
