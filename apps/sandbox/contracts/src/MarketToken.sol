// SPDX-License-Identifier: MIT
pragma solidity 0.8.30;

import {LaunchToken} from "./LaunchToken.sol";

/// A launch token that can tell buys and sells from other transfers, by a list of its pairs. The deployer, the
/// router (which only touches tokens when liquidity is removed) and whom the owner excludes escape every rule.
abstract contract MarketToken is LaunchToken {
    mapping(address => bool) public automatedMarketMakerPairs;
    mapping(address => bool) public isExcludedFromFees;

    event SetAutomatedMarketMakerPair(address indexed pair, bool indexed value);
    event ExcludeFromFees(address indexed account, bool isExcluded);

    constructor() {
        isExcludedFromFees[msg.sender] = true;
    }

    function setAutomatedMarketMakerPair(address pair, bool value) external onlyOwner {
        _setPair(pair, value);
    }

    function excludeFromFees(address account, bool excluded) external onlyOwner {
        isExcludedFromFees[account] = excluded;
        emit ExcludeFromFees(account, excluded);
    }

    function _transfer(address from, address to, uint256 amount) internal override {
        uint256 fee = 0;
        if (!isExcludedFromFees[from] && !isExcludedFromFees[to]) {
            if (automatedMarketMakerPairs[from]) fee = _onBuy(to, amount);
            else if (automatedMarketMakerPairs[to]) fee = _onSell(from, amount);
            else _onTransfer(from, to);
        }
        if (fee > 0) _move(from, _feeReceiver(), fee);
        _move(from, to, amount - fee);
    }

    /// Each hook reverts or returns the fee, in token units, to be taken out of the amount.
    function _onBuy(address buyer, uint256 amount) internal virtual returns (uint256) {}

    function _onSell(address seller, uint256 amount) internal virtual returns (uint256) {}

    function _onTransfer(address from, address to) internal virtual {}

    function _feeReceiver() internal view virtual returns (address) {
        return address(this);
    }

    function _marketOpened(address router, address pair) internal override {
        isExcludedFromFees[router] = true;
        _setPair(pair, true);
    }

    function _setPair(address pair, bool value) private {
        automatedMarketMakerPairs[pair] = value;
        emit SetAutomatedMarketMakerPair(pair, value);
    }
}
