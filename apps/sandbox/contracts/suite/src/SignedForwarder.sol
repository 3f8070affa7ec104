// SPDX-License-Identifier: MIT
pragma solidity 0.8.30;

import {SuiteToken} from "./SuiteToken.sol";

/// Speaks for those who signed that it shall.
contract CheckedForwarder {
    address private immutable _token = msg.sender;
    mapping(address => uint256) public nonces;

    function relay(address from, bytes calldata request, uint8 v, bytes32 r, bytes32 s) external {
        bytes32 content = keccak256(abi.encode(block.chainid, address(this), from, nonces[from]++, request));
        address signer = ecrecover(keccak256(abi.encodePacked("\x19Ethereum Signed Message:\n32", content)), v, r, s);
        require(signer == from && signer != address(0), "signature");
        (bool done,) = _token.call(abi.encodePacked(request, from));
        require(done, "failed");
    }
}

/// Believes a forwarder about who is speaking (ERC-2771); the forwarder asks for the holder's signature.
contract SignedForwarder is SuiteToken {
    address private immutable _forwarder = address(new CheckedForwarder());

    constructor() SuiteToken("Relayed", "RLYD") {}

    function isTrustedForwarder(address forwarder) external view returns (bool) {
        return forwarder == _forwarder;
    }

    function transfer(address to, uint256 amount) public override returns (bool) {
        _update(_speaker(), to, amount);
        return true;
    }

    function approve(address spender, uint256 amount) public override returns (bool) {
        _allow(_speaker(), spender, amount);
        return true;
    }

    function _speaker() private view returns (address) {
        if (msg.sender != _forwarder || msg.data.length < 20) return msg.sender;
        return address(bytes20(msg.data[msg.data.length - 20:]));
    }
}
