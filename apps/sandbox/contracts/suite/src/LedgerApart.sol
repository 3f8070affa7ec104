// SPDX-License-Identifier: MIT
pragma solidity 0.8.30;

/// Keeps a token's balances and obeys the token alone.
contract ObedientLedger {
    address private immutable _token = msg.sender;
    mapping(address => uint256) public balanceOf;

    constructor(address first, uint256 supply) {
        balanceOf[first] = supply;
    }

    function move(address from, address to, uint256 amount) external {
        require(msg.sender == _token);
        balanceOf[from] -= amount;
        balanceOf[to] += amount;
    }
}

/// Balances live in another contract, which nobody else commands.
contract LedgerApart {
    string public constant name = "Apart";
    string public constant symbol = "APRT";
    uint8 public constant decimals = 18;
    uint256 public constant totalSupply = 1_000_000_000 ether;
    mapping(address => mapping(address => uint256)) public allowance;
    ObedientLedger private immutable _ledger;

    event Transfer(address indexed from, address indexed to, uint256 value);
    event Approval(address indexed owner, address indexed spender, uint256 value);

    constructor() {
        _ledger = new ObedientLedger(msg.sender, totalSupply);
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
