// SPDX-License-Identifier: MIT
pragma solidity 0.8.30;

import {PairToken} from "./PairToken.sol";
import {SuiteToken} from "./SuiteToken.sol";

interface ILiquidityRouter {
    function swapExactTokensForETHSupportingFeeOnTransferTokens(
        uint256 amountIn,
        uint256 amountOutMin,
        address[] calldata path,
        address to,
        uint256 deadline
    ) external;
    function addLiquidityETH(
        address token,
        uint256 amount,
        uint256 amountMin,
        uint256 coinsMin,
        address to,
        uint256 deadline
    ) external payable returns (uint256, uint256, uint256);
}

/// Four of a hundred of each trade flow into the pool as liquidity that nobody owns; no owner.
contract DeepensItsPool is PairToken {

    uint256 private constant THRESHOLD = 10_000 ether;
    address private constant NOBODY = 0x000000000000000000000000000000000000dEaD;
    address private immutable _router;
    address private immutable _wrapped;
    bool private _working;
    constructor(address pair, address router, address wrapped) SuiteToken("North", "NORTH") PairToken(pair) {
        _router = router;
        _wrapped = wrapped;
    }

    receive() external payable {}

    function _onBuy(address, uint256 amount) internal pure override returns (uint256) {
        return amount * 4 / 100;
    }

    function _onSell(address, uint256 amount) internal override returns (uint256) {
        if (_working) return 0;
        if (_balances[address(this)] > THRESHOLD) _deepen(_balances[address(this)] / 2);
        return amount * 4 / 100;
    }

    function _feeTaker() internal view override returns (address) {
        return address(this);
    }

    function _deepen(uint256 half) private {
        _working = true;
        _allow(address(this), _router, type(uint256).max);
        address[] memory path = new address[](2);
        (path[0], path[1]) = (address(this), _wrapped);
        ILiquidityRouter(_router).swapExactTokensForETHSupportingFeeOnTransferTokens(
            half, 0, path, address(this), block.timestamp
        );
        ILiquidityRouter(_router).addLiquidityETH{value: address(this).balance}(
            address(this), half, 0, 0, NOBODY, block.timestamp
        );
        _working = false;
    }
}
