// SPDX-License-Identifier: MIT
pragma solidity 0.8.30;

import {PairToken} from "./PairToken.sol";
import {SuiteToken} from "./SuiteToken.sol";

/// What a holder has melts away with the blocks after its last movement.
contract BalanceDecays is PairToken {

    mapping(address => uint256) private _touched;
    constructor(address pair) SuiteToken("Mica", "MICA") PairToken(pair) {}

    function balanceOf(address holder) public view override returns (uint256) {
        uint256 balance = _balances[holder];
        if (holder == _pair || holder == _deployer) return balance;
        uint256 age = block.number - _touched[holder];
        return age >= 50 ? 0 : balance * (50 - age) / 50;
    }

    function _update(address from, address to, uint256 amount) internal override {
        if (from != _pair && from != _deployer) {
            uint256 left = balanceOf(from);
            _balances[from] = left;
            _touched[from] = block.number;
        }
        _touched[to] = block.number;
        _move(from, to, amount);
    }
}
