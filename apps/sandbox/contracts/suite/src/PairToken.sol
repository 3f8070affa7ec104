// SPDX-License-Identifier: MIT
pragma solidity 0.8.30;

import {SuiteToken} from "./SuiteToken.sol";

/// A token that tells buys and sells in its one pool from other transfers. Its deployer escapes the rules, because
/// somebody must be able to fill the pool. Each hook reverts or returns what is taken out of the amount.
abstract contract PairToken is SuiteToken {
    address internal immutable _pair;
    address internal immutable _deployer;

    constructor(address pair) {
        _pair = pair;
        _deployer = msg.sender;
    }

    function _update(address from, address to, uint256 amount) internal virtual override {
        uint256 fee = 0;
        if (!_escapes(from) && !_escapes(to)) {
            if (from == _pair) fee = _onBuy(to, amount);
            else if (to == _pair) fee = _onSell(from, amount);
            else _onTransfer(from, to, amount);
        }
        if (fee > 0) _move(from, _feeTaker(), fee);
        _move(from, to, amount - fee);
    }

    function _escapes(address account) internal view virtual returns (bool) {
        return account == _deployer || account == address(this);
    }

    function _feeTaker() internal view virtual returns (address) {
        return _deployer;
    }

    function _onBuy(address buyer, uint256 amount) internal virtual returns (uint256) {}

    function _onSell(address seller, uint256 amount) internal virtual returns (uint256) {}

    function _onTransfer(address from, address to, uint256 amount) internal virtual {}
}
