// SPDX-License-Identifier: MIT
pragma solidity 0.8.30;

import {LaunchToken} from "./LaunchToken.sol";
import {MarketToken} from "./MarketToken.sol";

/// A buyer may sell `delayBlocks` blocks after the last buy: one to three blocks is a common guard against
/// sandwiches, a huge number never opens.
contract SellDelayToken is MarketToken {
    uint256 private immutable _cooldown;
    mapping(address => uint256) private _lastBuy;

    constructor(
        string memory name_,
        string memory symbol_,
        uint8 decimals_,
        uint256 supply_,
        address router_,
        uint128 delayBlocks
    ) LaunchToken(name_, symbol_, decimals_, supply_, router_) {
        _cooldown = delayBlocks;
    }

    function _onBuy(address buyer, uint256) internal override returns (uint256) {
        _lastBuy[buyer] = block.number;
        return 0;
    }

    function _onSell(address seller, uint256) internal view override returns (uint256) {
        require(block.number >= _lastBuy[seller] + _cooldown, "Cooldown");
        return 0;
    }
}
