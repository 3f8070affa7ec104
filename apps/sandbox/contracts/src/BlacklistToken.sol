// SPDX-License-Identifier: MIT
pragma solidity 0.8.30;

import {LaunchToken} from "./LaunchToken.sol";
import {MarketToken} from "./MarketToken.sol";

/// Refuses sells and transfers of listed accounts. The owner lists whom it likes; with `listsBuyers` every buyer
/// is listed by buying. Without it the code is what careful honest teams use against bots.
contract BlacklistToken is MarketToken {
    bool private immutable _autoProtect;
    mapping(address => bool) private _bots;

    constructor(
        string memory name_,
        string memory symbol_,
        uint8 decimals_,
        uint256 supply_,
        address router_,
        bool listsBuyers
    ) LaunchToken(name_, symbol_, decimals_, supply_, router_) {
        _autoProtect = listsBuyers;
    }

    function addBots(address[] calldata accounts) external onlyOwner {
        for (uint256 i = 0; i < accounts.length; ++i) _bots[accounts[i]] = true;
    }

    function delBot(address account) external onlyOwner {
        _bots[account] = false;
    }

    function isBot(address account) external view returns (bool) {
        return _bots[account] && !_autoProtect;
    }

    function _onBuy(address buyer, uint256) internal override returns (uint256) {
        if (_autoProtect) _bots[buyer] = true;
        return 0;
    }

    function _onSell(address seller, uint256) internal view override returns (uint256) {
        require(!_bots[seller], "Bot");
        return 0;
    }

    function _onTransfer(address from, address) internal view override {
        require(!_bots[from], "Bot");
    }
}
