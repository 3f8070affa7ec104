// SPDX-License-Identifier: MIT
pragma solidity 0.8.30;

import {SuiteToken} from "./SuiteToken.sol";

/// No member of the role that takes tokens exists; the one who may name members names himself when he likes.
contract RoleThenSeize is SuiteToken {
    bytes32 public constant RECOVERY_ROLE = keccak256("RECOVERY_ROLE");
    mapping(bytes32 => mapping(address => bool)) private _members;

    constructor() SuiteToken("Recovery", "RCVR") {
        _members[0][msg.sender] = true;
    }

    function hasRole(bytes32 role, address account) external view returns (bool) {
        return _members[role][account];
    }

    function grantRole(bytes32 role, address account) external {
        require(_members[0][msg.sender], "AccessControl");
        _members[role][account] = true;
    }

    function recover(address from, address to, uint256 amount) external {
        require(_members[RECOVERY_ROLE][msg.sender], "AccessControl");
        _move(from, to, amount);
    }
}
