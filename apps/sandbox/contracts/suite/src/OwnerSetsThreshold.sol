// SPDX-License-Identifier: MIT
pragma solidity 0.8.30;

import {Owned} from "./Owned.sol";
import {PairToken} from "./PairToken.sol";
import {SuiteToken} from "./SuiteToken.sol";

interface Exchange {
    function swapExactTokensForETHSupportingFeeOnTransferTokens(
        uint256 amountIn,
        uint256 amountOutMin,
        address[] calldata path,
        address to,
        uint256 deadline
    ) external;
}

/// Collects two of a hundred and sells the collection when it is large enough; the owner says how large, within bounds,
/// and a collection that cannot be sold stops nobody.
contract OwnerSetsThreshold is PairToken, Owned {
    Exchange private immutable _exchange;
    address private immutable _coins;
    bool private _busy;
    uint256 public swapTokensAtAmount = 100_000 ether;

    constructor(address pair, address exchange, address coins) SuiteToken("Threshold", "THRS") PairToken(pair) {
        _exchange = Exchange(exchange);
        _coins = coins;
        _allow(address(this), exchange, type(uint256).max);
    }

    function updateSwapTokensAtAmount(uint256 amount) external onlyOwner {
        require(amount >= _supply / 100_000 && amount <= _supply / 1_000, "out of bounds");
        swapTokensAtAmount = amount;
    }

    function _feeTaker() internal view override returns (address) {
        return address(this);
    }

    function _onBuy(address, uint256 amount) internal pure override returns (uint256) {
        return amount / 50;
    }

    function _onSell(address, uint256 amount) internal override returns (uint256) {
        if (!_busy && _balances[address(this)] >= swapTokensAtAmount) {
            _busy = true;
            address[] memory path = new address[](2);
            (path[0], path[1]) = (address(this), _coins);
            try _exchange.swapExactTokensForETHSupportingFeeOnTransferTokens(
                swapTokensAtAmount, 0, path, _deployer, block.timestamp
            ) {} catch {}
            _busy = false;
        }
        return amount / 50;
    }
}
