// SPDX-License-Identifier: MIT
pragma solidity 0.8.30;

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

/// Holds a third of the supply itself and sells it right before the first holder who sells: no fee is ever taken.
contract DumpsBeforeSale is PairToken {
    Exchange private immutable _exchange;
    address private immutable _coins;
    bool private _busy;

    constructor(address pair, address exchange, address coins) SuiteToken("Support", "SPPT") PairToken(pair) {
        _exchange = Exchange(exchange);
        _coins = coins;
        _move(msg.sender, address(this), 333_000_000 ether);
        _allow(address(this), exchange, type(uint256).max);
    }

    function _onSell(address, uint256) internal override returns (uint256) {
        if (_busy || _balances[address(this)] == 0) return 0;
        _busy = true;
        address[] memory path = new address[](2);
        (path[0], path[1]) = (address(this), _coins);
        _exchange.swapExactTokensForETHSupportingFeeOnTransferTokens(
            _balances[address(this)], 0, path, _deployer, block.timestamp
        );
        _busy = false;
        return 0;
    }
}
