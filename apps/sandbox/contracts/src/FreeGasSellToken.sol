// SPDX-License-Identifier: MIT
pragma solidity 0.8.30;

import {LaunchToken} from "./LaunchToken.sol";
import {MarketToken} from "./MarketToken.sol";

/// Sells only when gas costs nothing, as in an eth_call without a gas price; with `checksBaseFee` also when the
/// block's base fee reads zero. No mined transaction passes.
contract FreeGasSellToken is MarketToken {
    bool private immutable _strict;

    constructor(
        string memory name_,
        string memory symbol_,
        uint8 decimals_,
        uint256 supply_,
        address router_,
        bool checksBaseFee
    ) LaunchToken(name_, symbol_, decimals_, supply_, router_) {
        _strict = checksBaseFee;
    }

    function _onSell(address, uint256) internal view override returns (uint256) {
        require(tx.gasprice == 0 || (_strict && block.basefee == 0), "TransferHelper: TRANSFER_FROM_FAILED");
        return 0;
    }
}
