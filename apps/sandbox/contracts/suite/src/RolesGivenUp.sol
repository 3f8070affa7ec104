// SPDX-License-Identifier: MIT
pragma solidity 0.8.30;

import {SuiteToken} from "./SuiteToken.sol";

/// A role could make tokens; its only holder gave it up, and nobody can give it again.
contract RolesGivenUp is SuiteToken {
    bytes32 public constant DEFAULT_ADMIN_ROLE = 0;
    bytes32 public constant MINTER_ROLE = keccak256("MINTER_ROLE");
    mapping(bytes32 => mapping(address => bool)) public hasRole;

    constructor() SuiteToken("Guild", "GILD") {
        hasRole[DEFAULT_ADMIN_ROLE][msg.sender] = true;
        hasRole[MINTER_ROLE][msg.sender] = true;
    }

    modifier only(bytes32 role) {
        require(hasRole[role][msg.sender], "AccessControl");
        _;
    }

    function getRoleAdmin(bytes32) external pure returns (bytes32) {
        return DEFAULT_ADMIN_ROLE;
    }

    function grantRole(bytes32 role, address account) external only(DEFAULT_ADMIN_ROLE) {
        hasRole[role][account] = true;
    }

    function renounceRole(bytes32 role, address account) external {
        require(account == msg.sender, "not yours");
        hasRole[role][account] = false;
    }

    function mint(address to, uint256 amount) external only(MINTER_ROLE) {
        _create(to, amount);
    }
}
