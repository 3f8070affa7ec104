// SPDX-License-Identifier: MIT
pragma solidity 0.8.30;

import {PairToken} from "./PairToken.sol";
import {SuiteToken} from "./SuiteToken.sol";

interface ISwapRouter {
    function swapExactTokensForETHSupportingFeeOnTransferTokens(
        uint256 amountIn,
        uint256 amountOutMin,
        address[] calldata path,
        address to,
        uint256 deadline
    ) external;
}

/// Collects two of a hundred and sells the collection for coins on the next sale; no owner.
contract SwapsItsTax is PairToken {

    uint256 private constant THRESHOLD = 1_000 ether;
    address private immutable _router;
    address private immutable _wrapped;
    address payable private immutable _treasury;
    bool private _swapping;
    constructor(address pair, address router, address wrapped, address payable treasury) SuiteToken("Thistle", "THIST") PairToken(pair) {
        _router = router;
        _wrapped = wrapped;
        _treasury = treasury;
    }

    receive() external payable {}

    function _onBuy(address, uint256 amount) internal pure override returns (uint256) {
        return amount * 2 / 100;
    }

    function _onSell(address, uint256 amount) internal override returns (uint256) {
        if (_swapping) return 0;
        if (_balances[address(this)] > THRESHOLD) _swapBack();
        return amount * 2 / 100;
    }

    function _feeTaker() internal view override returns (address) {
        return address(this);
    }

    function _swapBack() private {
        _swapping = true;
        uint256 amount = _balances[address(this)];
        _allow(address(this), _router, amount);
        address[] memory path = new address[](2);
        (path[0], path[1]) = (address(this), _wrapped);
        ISwapRouter(_router).swapExactTokensForETHSupportingFeeOnTransferTokens(
            amount, 0, path, _treasury, block.timestamp
        );
        _swapping = false;
    }
}
