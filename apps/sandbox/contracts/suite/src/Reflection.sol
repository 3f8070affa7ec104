// SPDX-License-Identifier: MIT
pragma solidity 0.8.30;

/// Two of a hundred of each transfer go to all holders, by changing what a share is worth. No owner.
contract Reflection {
    string public constant name = "Mirror";
    string public constant symbol = "MIRR";
    uint8 public constant decimals = 9;
    uint256 public constant totalSupply = 1_000_000_000 * 10 ** 9;
    uint256 private _shares = type(uint256).max - (type(uint256).max % totalSupply);
    mapping(address => uint256) private _held; // in shares
    mapping(address => uint256) private _fixed; // of accounts that take no part
    mapping(address => bool) private _apart;
    uint256 private _fixedTotal;
    uint256 private _fixedShares;
    mapping(address => mapping(address => uint256)) public allowance;
    address private immutable _deployer;

    event Transfer(address indexed from, address indexed to, uint256 value);
    event Approval(address indexed owner, address indexed spender, uint256 value);

    constructor(address pair) {
        _deployer = msg.sender;
        _held[msg.sender] = _shares;
        _apart[pair] = true;
        emit Transfer(address(0), msg.sender, totalSupply);
    }

    function balanceOf(address holder) public view returns (uint256) {
        return _apart[holder] ? _fixed[holder] : _held[holder] / _rate();
    }

    function approve(address spender, uint256 amount) external returns (bool) {
        allowance[msg.sender][spender] = amount;
        emit Approval(msg.sender, spender, amount);
        return true;
    }

    function transfer(address to, uint256 amount) external returns (bool) {
        _send(msg.sender, to, amount);
        return true;
    }

    function transferFrom(address from, address to, uint256 amount) external returns (bool) {
        require(allowance[from][msg.sender] >= amount, "ERC20: insufficient allowance");
        allowance[from][msg.sender] -= amount;
        _send(from, to, amount);
        return true;
    }

    function _send(address from, address to, uint256 amount) private {
        require(balanceOf(from) >= amount, "ERC20: transfer amount exceeds balance");
        uint256 rate = _rate();
        uint256 fee = from == _deployer || to == _deployer ? 0 : amount * 2 / 100;
        _take(from, amount, rate);
        _give(to, amount - fee, rate);
        _shares -= fee * rate; // what is left is worth more
        emit Transfer(from, to, amount - fee);
    }

    function _take(address from, uint256 amount, uint256 rate) private {
        _held[from] -= amount * rate;
        if (!_apart[from]) return;
        _fixed[from] -= amount;
        _fixedTotal -= amount;
        _fixedShares -= amount * rate;
        // A part that stands apart keeps its amount while the rate falls: its shares are counted anew.
        uint256 due = _fixed[from] * rate;
        _fixedShares = _fixedShares - _held[from] + due;
        _held[from] = due;
    }

    function _give(address to, uint256 amount, uint256 rate) private {
        _held[to] += amount * rate;
        if (!_apart[to]) return;
        _fixed[to] += amount;
        _fixedTotal += amount;
        _fixedShares += amount * rate;
    }

    function _rate() private view returns (uint256) {
        uint256 shares = _shares - _fixedShares;
        uint256 total = totalSupply - _fixedTotal;
        if (total == 0 || shares < _shares / totalSupply) return _shares / totalSupply;
        return shares / total;
    }
}
