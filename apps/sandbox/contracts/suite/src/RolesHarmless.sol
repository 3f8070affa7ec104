// SPDX-License-Identifier: MIT
pragma solidity 0.8.30;

import {SuiteToken} from "./SuiteToken.sol";

/// A role may change the address of its description, nothing else.
contract RolesHarmless is SuiteToken {

    bytes32 public constant CURATOR_ROLE = keccak256("CURATOR_ROLE");
    mapping(bytes32 => mapping(address => bool)) private _roles;
    string public contractURI;

    event RoleGranted(bytes32 indexed role, address indexed account, address indexed sender);
    constructor() SuiteToken("Tidal", "TIDAL") {
        _roles[CURATOR_ROLE][msg.sender] = true;
        emit RoleGranted(CURATOR_ROLE, msg.sender, msg.sender);
    }

    function hasRole(bytes32 role, address account) public view returns (bool) {
        return _roles[role][account];
    }

    function setContractURI(string calldata uri) external {
        require(hasRole(CURATOR_ROLE, msg.sender), "AccessControl: missing role");
        contractURI = uri;
    }
}
