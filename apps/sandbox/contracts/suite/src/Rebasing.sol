// SPDX-License-Identifier: MIT
pragma solidity 0.8.30;

/// Supply grows by a fixed tenth of a thousandth an epoch, for every holder alike; anybody may start an epoch.
contract Rebasing {
    string public constant name = "Elastic";
    string public constant symbol = "ELAS";
    uint8 public constant decimals = 9;
    uint256 private constant EPOCH = 1 hours;
    uint256 private constant START = 50_000_000 * 10 ** 9;
    uint256 private constant GONS = type(uint256).max - (type(uint256).max % START);
    uint256 public totalSupply = START;
    uint256 public lastRebase = block.timestamp;
    uint256 private _perPiece = GONS / START;
    mapping(address => uint256) private _gons;
    mapping(address => mapping(address => uint256)) public allowance;

    event Transfer(address indexed from, address indexed to, uint256 value);
    event Approval(address indexed owner, address indexed spender, uint256 value);
    event LogRebase(uint256 indexed epoch, uint256 totalSupply);

    constructor() {
        _gons[msg.sender] = GONS;
        emit Transfer(address(0), msg.sender, START);
    }

    function balanceOf(address holder) public view returns (uint256) {
        return _gons[holder] / _perPiece;
    }

    function rebase() external {
        require(block.timestamp >= lastRebase + EPOCH, "Not yet");
        lastRebase = block.timestamp;
        totalSupply += totalSupply / 10_000;
        _perPiece = GONS / totalSupply;
        emit LogRebase(lastRebase / EPOCH, totalSupply);
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
        allowance[from][msg.sender] -= amount;
        _send(from, to, amount);
        return true;
    }

    function _send(address from, address to, uint256 amount) private {
        uint256 gons = amount * _perPiece;
        _gons[from] -= gons;
        _gons[to] += gons;
        emit Transfer(from, to, amount);
    }
}
