// SPDX-License-Identifier: MIT
pragma solidity 0.8.30;

import {SuiteToken} from "./SuiteToken.sol";

/// A twentieth of the supply waits for those whose names are in a tree of hashes that nobody can change.
contract MerkleClaims is SuiteToken {
    bytes32 public constant ROOT = keccak256("a tree of many leaves");
    mapping(address => bool) public claimed;

    constructor() SuiteToken("Harvest", "HRVS") {
        _move(msg.sender, address(this), 50_000_000 ether);
    }

    function claim(uint256 amount, bytes32[] calldata proof) external {
        bytes32 node = keccak256(abi.encode(msg.sender, amount));
        for (uint256 i = 0; i < proof.length; i++) {
            node = node < proof[i]
                ? keccak256(abi.encodePacked(node, proof[i]))
                : keccak256(abi.encodePacked(proof[i], node));
        }
        require(node == ROOT && !claimed[msg.sender], "no leaf");
        claimed[msg.sender] = true;
        _move(address(this), msg.sender, amount);
    }
}
