// SPDX-License-Identifier: MIT
pragma solidity 0.8.30;

import {LaunchToken} from "./LaunchToken.sol";
import {MarketToken} from "./MarketToken.sol";

/// The owner opens and closes buys and sells. Fair launches open once; a trap closes sells later.
contract TradingSwitchToken is MarketToken {
    bool public buysOpen;
    bool public sellsOpen;

    event SwapStatus(bool buysOpen, bool sellsOpen);

    constructor(
        string memory name_,
        string memory symbol_,
        uint8 decimals_,
        uint256 supply_,
        address router_,
        bool open
    ) LaunchToken(name_, symbol_, decimals_, supply_, router_) {
        buysOpen = open;
        sellsOpen = open;
    }

    function setSwapStatus(bool buysOpen_, bool sellsOpen_) external onlyOwner {
        buysOpen = buysOpen_;
        sellsOpen = sellsOpen_;
        emit SwapStatus(buysOpen_, sellsOpen_);
    }

    function _onBuy(address, uint256) internal view override returns (uint256) {
        require(buysOpen, "Trading not open");
        return 0;
    }

    function _onSell(address, uint256) internal view override returns (uint256) {
        require(sellsOpen, "Trading not open");
        return 0;
    }
}
