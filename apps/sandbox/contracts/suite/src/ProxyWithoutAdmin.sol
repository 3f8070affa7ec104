// SPDX-License-Identifier: MIT
pragma solidity 0.8.30;

/// A token's code for a proxy, nothing but balances.
contract HonestBody {
    mapping(address => uint256) public balanceOf;
    mapping(address => mapping(address => uint256)) public allowance;
    uint256 public totalSupply;

    event Transfer(address indexed from, address indexed to, uint256 value);
    event Approval(address indexed owner, address indexed spender, uint256 value);

    function initialize(address to) external {
        require(totalSupply == 0, "initialized");
        totalSupply = balanceOf[to] = 1_000_000_000 ether;
        emit Transfer(address(0), to, totalSupply);
    }

    function name() external pure returns (string memory) {
        return "Settled";
    }

    function symbol() external pure returns (string memory) {
        return "STLD";
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

    function transferFrom(address from, address to, uint256 amount) external returns (bool) {
        allowance[from][msg.sender] -= amount;
        return _pass(from, to, amount);
    }

    function _pass(address from, address to, uint256 amount) private returns (bool) {
        balanceOf[from] -= amount;
        balanceOf[to] += amount;
        emit Transfer(from, to, amount);
        return true;
    }
}

/// A proxy whose admin left for good: it could be upgraded once and never can be again.
contract ProxyWithoutAdmin {
    bytes32 private constant IMPLEMENTATION = 0x360894a13ba1a3210667c828492db98dca3e2076cc3735a920a3ca505d382bbc;
    bytes32 private constant ADMIN = 0xb53127684a568b3173ae13b9f8a6016e243e63b6e8ee1178d6a717850b5d6103;

    constructor() {
        address body = address(new HonestBody());
        _set(IMPLEMENTATION, body);
        _set(ADMIN, msg.sender);
        (bool done,) = body.delegatecall(abi.encodeCall(HonestBody.initialize, (msg.sender)));
        require(done);
    }

    modifier onlyAdmin() {
        require(msg.sender == _read(ADMIN), "not the admin");
        _;
    }

    function upgradeTo(address body) external onlyAdmin {
        _set(IMPLEMENTATION, body);
    }

    function changeAdmin(address account) external onlyAdmin {
        _set(ADMIN, account);
    }

    function _set(bytes32 slot, address account) private {
        assembly {
            sstore(slot, account)
        }
    }

    function _read(bytes32 slot) private view returns (address account) {
        assembly {
            account := sload(slot)
        }
    }

    fallback() external {
        address body = _read(IMPLEMENTATION);
        assembly {
            calldatacopy(0, 0, calldatasize())
            let done := delegatecall(gas(), body, 0, calldatasize(), 0, 0)
            returndatacopy(0, 0, returndatasize())
            if iszero(done) { revert(0, returndatasize()) }
            return(0, returndatasize())
        }
    }
}
