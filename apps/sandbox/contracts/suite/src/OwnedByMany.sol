// SPDX-License-Identifier: MIT
pragma solidity 0.8.30;

import {LaunchToken} from "./LaunchToken.sol";
import {SuiteToken} from "./SuiteToken.sol";

/// Acts when two of its three keys agree.
contract TwoOfThree {
    mapping(address => bool) public isKey;
    mapping(bytes32 => mapping(address => bool)) public approvedBy;
    mapping(bytes32 => uint256) public approvals;

    constructor(address first) {
        isKey[first] = true;
        isKey[0xdD870fA1b7C4700F2BD7f44238821C26f7392148] = true;
        isKey[0x583031D1113aD414F02576BD6afaBfb302140225] = true;
    }

    function act(address target, bytes calldata request) external {
        require(isKey[msg.sender], "no key");
        bytes32 what = keccak256(abi.encode(target, request));
        require(!approvedBy[what][msg.sender], "approved");
        approvedBy[what][msg.sender] = true;
        if (++approvals[what] < 2) return;
        (bool done,) = target.call(request);
        require(done, "failed");
    }
}

/// Belongs to a contract of three keys, which may change where the fee goes and nothing else.
contract OwnedByMany is LaunchToken {
    address public treasury;

    constructor(address pair) SuiteToken("Assembly", "ASMB") LaunchToken(pair) {
        treasury = msg.sender;
        _setOwner(address(new TwoOfThree(msg.sender)));
    }

    function setTreasury(address account) external onlyOwner {
        require(account != address(0));
        treasury = account;
    }

    function collect() external {
        _move(address(this), treasury, _balances[address(this)]);
    }

    function _feePercent(address, address, uint256) internal pure override returns (uint256) {
        return 2;
    }
}
