// SPDX-License-Identifier: MIT
pragma solidity 0.8.30;

import {LaunchToken} from "./LaunchToken.sol";
import {MarketToken} from "./MarketToken.sol";

/// The owner may pause all trading and transfers of accounts that are not excluded.
contract PausableToken is MarketToken {
    bool public paused;

    event Paused(address account);
    event Unpaused(address account);

    constructor(string memory name_, string memory symbol_, uint8 decimals_, uint256 supply_, address router_)
        LaunchToken(name_, symbol_, decimals_, supply_, router_)
    {}

    function pause() external onlyOwner {
        paused = true;
        emit Paused(msg.sender);
    }

    function unpause() external onlyOwner {
        paused = false;
        emit Unpaused(msg.sender);
    }

    function _onBuy(address, uint256) internal view override returns (uint256) {
        require(!paused, "Pausable: paused");
        return 0;
    }

    function _onSell(address, uint256) internal view override returns (uint256) {
        require(!paused, "Pausable: paused");
        return 0;
    }

    function _onTransfer(address, address) internal view override {
        require(!paused, "Pausable: paused");
    }
}
