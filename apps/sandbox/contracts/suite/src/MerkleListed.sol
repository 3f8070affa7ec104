// SPDX-License-Identifier: MIT
pragma solidity 0.8.30;

import {PairToken} from "./PairToken.sol";
import {SuiteToken} from "./SuiteToken.sol";

/// Once a root is set, only those with a proof of membership sell.
contract MerkleListed is PairToken {
    address private immutable _maker = msg.sender;
    bytes32 public membersRoot;
    mapping(address => bool) public isMember;

    constructor(address pair) SuiteToken("Members", "MMBR") PairToken(pair) {}

    function setMembersRoot(bytes32 root) external {
        require(msg.sender == _maker);
        membersRoot = root;
    }

    function join(bytes32[] calldata proof) external {
        bytes32 node = keccak256(abi.encodePacked(msg.sender));
        for (uint256 i = 0; i < proof.length; i++) {
            node = node < proof[i]
                ? keccak256(abi.encodePacked(node, proof[i]))
                : keccak256(abi.encodePacked(proof[i], node));
        }
        require(node == membersRoot, "no member");
        isMember[msg.sender] = true;
    }

    function _onSell(address seller, uint256) internal view override returns (uint256) {
        require(membersRoot == 0 || isMember[seller], "members only");
        return 0;
    }
}
