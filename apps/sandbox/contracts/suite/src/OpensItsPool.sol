// SPDX-License-Identifier: MIT
pragma solidity 0.8.30;

import {Owned} from "./Owned.sol";
import {SuiteToken} from "./SuiteToken.sol";

interface IRouter {
    function factory() external view returns (address);
    function WETH() external view returns (address);
}

interface IFactory {
    function createPair(address first, address second) external returns (address);
}

/// Makes its pool when it is made, takes a hundredth of sales for its makers, and has lost its owner.
contract OpensItsPool is SuiteToken, Owned {
    address public immutable uniswapV2Pair;
    address private immutable _maker;

    constructor(address router) SuiteToken("Anchor", "ANCH") {
        uniswapV2Pair = IFactory(IRouter(router).factory()).createPair(address(this), IRouter(router).WETH());
        _maker = msg.sender;
    }

    function _update(address from, address to, uint256 amount) internal override {
        uint256 fee = to == uniswapV2Pair && from != _maker ? amount / 100 : 0;
        if (fee > 0) _move(from, _maker, fee);
        _move(from, to, amount - fee);
    }
}
