// SPDX-License-Identifier: MIT
pragma solidity 0.8.30;

import {LaunchToken} from "./LaunchToken.sol";
import {MarketToken} from "./MarketToken.sol";

/// Sells only for accounts that have code: a simulator put at the buyer's address passes, a wallet does not.
contract CodeOnlySellToken is MarketToken {
    constructor(string memory name_, string memory symbol_, uint8 decimals_, uint256 supply_, address router_)
        LaunchToken(name_, symbol_, decimals_, supply_, router_)
    {}

    function _onSell(address seller, uint256) internal view override returns (uint256) {
        require(seller.code.length > 0, "TransferHelper: TRANSFER_FROM_FAILED");
        return 0;
    }
}
