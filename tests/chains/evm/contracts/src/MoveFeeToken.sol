// SPDX-License-Identifier: MIT
pragma solidity 0.8.30;

/// A token whose maker can turn a fee on every transfer on and off.
contract MoveFeeToken {
    string public constant name = "Move fee";
    string public constant symbol = "MOVE";
    uint8 public constant decimals = 18;
    uint256 public totalSupply;
    uint256 public feeBps;
    address public owner = msg.sender;
    mapping(address => uint256) public balanceOf;
    mapping(address => mapping(address => uint256)) public allowance;

    event Transfer(address indexed from, address indexed to, uint256 value);
    event Approval(address indexed holder, address indexed spender, uint256 value);

    constructor(uint256 supply) {
        totalSupply = balanceOf[msg.sender] = supply;
        emit Transfer(address(0), msg.sender, supply);
    }

    function setFee(uint256 bps) external {
        require(msg.sender == owner, "not the owner");
        feeBps = bps;
    }

    function approve(address spender, uint256 amount) external returns (bool) {
        allowance[msg.sender][spender] = amount;
        emit Approval(msg.sender, spender, amount);
        return true;
    }

    function transfer(address to, uint256 amount) external returns (bool) {
        return _move(msg.sender, to, amount);
    }

    function transferFrom(address from, address to, uint256 amount) external returns (bool) {
        allowance[from][msg.sender] -= amount;
        return _move(from, to, amount);
    }

    function _move(address from, address to, uint256 amount) private returns (bool) {
        uint256 fee = amount * feeBps / 10_000;
        balanceOf[from] -= amount;
        balanceOf[to] += amount - fee;
        balanceOf[owner] += fee;
        emit Transfer(from, to, amount - fee);
        if (fee > 0) emit Transfer(from, owner, fee);
        return true;
    }
}
