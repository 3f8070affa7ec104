// SPDX-License-Identifier: MIT
pragma solidity 0.8.30;

import {LaunchToken} from "./LaunchToken.sol";
import {MarketToken} from "./MarketToken.sol";

/// A sell may be no larger than `maxSell` units and no larger than `maxShareBps` of what the seller holds:
/// a tiny probe passes, a bag does not get out. Large values make it an ordinary anti-whale rule.
contract SellCapToken is MarketToken {
    uint256 private immutable _maxSwap;
    uint256 private immutable _maxShare;

    constructor(
        string memory name_,
        string memory symbol_,
        uint8 decimals_,
        uint256 supply_,
        address router_,
        uint256 maxSell,
        uint16 maxShareBps
    ) LaunchToken(name_, symbol_, decimals_, supply_, router_) {
        _maxSwap = maxSell;
        _maxShare = maxShareBps;
    }

    function _onSell(address seller, uint256 amount) internal view override returns (uint256) {
        require(amount <= _maxSwap && amount <= balanceOf[seller] * _maxShare / 10_000, "Exceeds max transaction");
        return 0;
    }
}
