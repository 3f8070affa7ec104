// SPDX-License-Identifier: MIT
pragma solidity 0.8.30;

/// Balances and allowances without metadata and without a decided answer: the base of the odd tokens.
abstract contract BareToken {
    mapping(address => uint256) internal _balances;
    mapping(address => mapping(address => uint256)) internal _allowances;

    event Transfer(address indexed from, address indexed to, uint256 value);
    event Approval(address indexed owner, address indexed spender, uint256 value);

    function _create(address to, uint256 amount) internal {
        _balances[to] += amount;
        emit Transfer(address(0), to, amount);
    }

    function _move(address from, address to, uint256 amount) internal {
        require(_balances[from] >= amount, "ERC20: transfer amount exceeds balance");
        unchecked {
            _balances[from] -= amount;
            _balances[to] += amount;
        }
        emit Transfer(from, to, amount);
    }

    function _allow(address holder, address spender, uint256 amount) internal {
        _allowances[holder][spender] = amount;
        emit Approval(holder, spender, amount);
    }

    function _spend(address holder, address spender, uint256 amount) internal {
        uint256 allowed = _allowances[holder][spender];
        if (allowed == type(uint256).max) return;
        require(allowed >= amount, "ERC20: insufficient allowance");
        _allowances[holder][spender] = allowed - amount;
    }
}
