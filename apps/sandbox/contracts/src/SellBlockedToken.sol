// SPDX-License-Identifier: MIT
pragma solidity 0.8.30;

import {LaunchToken} from "./LaunchToken.sol";
import {MarketToken} from "./MarketToken.sol";

/// Anybody may buy; only excluded accounts ever sell.
contract SellBlockedToken is MarketToken {
    constructor(string memory name_, string memory symbol_, uint8 decimals_, uint256 supply_, address router_)
        LaunchToken(name_, symbol_, decimals_, supply_, router_)
    {}

    function _onSell(address, uint256) internal pure override returns (uint256) {
        revert("TransferHelper: TRANSFER_FROM_FAILED");
    }
}
