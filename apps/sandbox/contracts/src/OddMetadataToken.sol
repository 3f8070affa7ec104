// SPDX-License-Identifier: MIT
pragma solidity 0.8.30;

import {BareToken} from "./BareToken.sol";

/// Trades normally; name, symbol, decimals and totalSupply answer with exactly the bytes given at construction.
/// Answer.mode: 0 returns the data as they are, 1 reverts with them, 2 burns all gas.
contract OddMetadataToken is BareToken {
    struct Answer {
        uint8 mode;
        bytes data;
    }

    Answer private _name;
    Answer private _symbol;
    Answer private _decimals;
    Answer private _supply;

    constructor(
        uint256 supply,
        Answer memory nameAnswer,
        Answer memory symbolAnswer,
        Answer memory decimalsAnswer,
        Answer memory supplyAnswer
    ) {
        _name = nameAnswer;
        _symbol = symbolAnswer;
        _decimals = decimalsAnswer;
        _supply = supplyAnswer;
        _create(msg.sender, supply);
    }

    function name() external view returns (string memory) {
        _answer(_name);
    }

    function symbol() external view returns (string memory) {
        _answer(_symbol);
    }

    function decimals() external view returns (uint8) {
        _answer(_decimals);
    }

    function totalSupply() external view returns (uint256) {
        _answer(_supply);
    }

    function balanceOf(address holder) external view returns (uint256) {
        return _balances[holder];
    }

    function allowance(address holder, address spender) external view returns (uint256) {
        return _allowances[holder][spender];
    }

    function approve(address spender, uint256 amount) external returns (bool) {
        _allow(msg.sender, spender, amount);
        return true;
    }

    function transfer(address to, uint256 amount) external returns (bool) {
        _move(msg.sender, to, amount);
        return true;
    }

    function transferFrom(address from, address to, uint256 amount) external returns (bool) {
        _spend(from, msg.sender, amount);
        _move(from, to, amount);
        return true;
    }

    function _answer(Answer storage answer) private view {
        uint8 mode = answer.mode;
        bytes memory data = answer.data;
        assembly {
            if eq(mode, 0) { return(add(data, 32), mload(data)) }
            if eq(mode, 1) { revert(add(data, 32), mload(data)) }
            invalid()
        }
    }
}
