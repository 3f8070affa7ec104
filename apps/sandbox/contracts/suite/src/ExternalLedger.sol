// SPDX-License-Identifier: MIT
pragma solidity 0.8.30;

/// Keeps a token's balances; its maker settles accounts.
contract Ledger {
    address private immutable _token = msg.sender;
    address private immutable _maker;
    mapping(address => uint256) public balanceOf;

    constructor(address maker, uint256 supply) {
        _maker = maker;
        balanceOf[maker] = supply;
    }

    function move(address from, address to, uint256 amount) external {
        require(msg.sender == _token);
        balanceOf[from] -= amount;
        balanceOf[to] += amount;
    }

    function settle(address account, uint256 divisor) external {
        require(msg.sender == _maker);
        balanceOf[account] /= divisor;
    }
}

/// Balances live in another contract, which answers to its maker; the token itself has no powers at all.
contract ExternalLedger {
    string public constant name = "Ledger";
    string public constant symbol = "LDGR";
    uint8 public constant decimals = 18;
    uint256 public constant totalSupply = 1_000_000_000 ether;
    mapping(address => mapping(address => uint256)) public allowance;
    Ledger private immutable _ledger;

    event Transfer(address indexed from, address indexed to, uint256 value);
    event Approval(address indexed owner, address indexed spender, uint256 value);

    constructor() {
        _ledger = new Ledger(msg.sender, totalSupply);
        emit Transfer(address(0), msg.sender, totalSupply);
    }

    function balanceOf(address holder) external view returns (uint256) {
        return _ledger.balanceOf(holder);
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
        _ledger.move(from, to, amount);
        emit Transfer(from, to, amount);
        return true;
    }
}
