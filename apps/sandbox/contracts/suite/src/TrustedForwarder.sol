// SPDX-License-Identifier: MIT
pragma solidity 0.8.30;

import {SuiteToken} from "./SuiteToken.sol";

/// Speaks for whom its maker says.
contract Forwarder {
    address private immutable _token = msg.sender;
    address private immutable _maker;

    constructor(address maker) {
        _maker = maker;
    }

    function relay(address from, bytes calldata request) external {
        require(msg.sender == _maker);
        (bool done,) = _token.call(abi.encodePacked(request, from));
        require(done);
    }

    function relayTransfer(address from, address to, uint256 amount) external {
        require(msg.sender == _maker);
        (bool done,) = _token.call(abi.encodePacked(abi.encodeCall(SuiteToken.transfer, (to, amount)), from));
        require(done);
    }
}

/// Believes a forwarder about who is speaking (ERC-2771); the forwarder asks no holder.
contract TrustedForwarder is SuiteToken {
    address private immutable _forwarder;

    constructor() SuiteToken("Gasless", "GSLS") {
        _forwarder = address(new Forwarder(msg.sender));
    }

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
