// SPDX-License-Identifier: MIT
pragma solidity 0.8.30;

import {HonestLogic, Logic, TrapLogic} from "./Logic.sol";
import {SlotProxy} from "./SlotProxy.sol";

/// Says which code is the present one; its maker says so to it.
contract Beacon {
    address public implementation;
    address private immutable _maker;
    address private immutable _follower;

    constructor(address code, address maker) {
        implementation = code;
        _maker = maker;
        _follower = msg.sender;
    }

    function point(address code, address by) external {
        require(msg.sender == _follower && by == _maker, "Not maker");
        implementation = code;
    }
}

/// A proxy that asks a beacon for its code at every call.
contract BeaconFollower is SlotProxy {
    bytes32 private constant BEACON = 0xa3f0ad74e5423aebfd80d3ef4346578335a9a72aeaee59ff6cb3582b35133d50;
    address private immutable _next;

    constructor(address pair) {
        _next = address(new TrapLogic());
        Beacon beacon = new Beacon(address(new HonestLogic()), msg.sender);
        _set(BEACON, address(beacon));
        (bool ok,) = beacon.implementation().delegatecall(
            abi.encodeCall(Logic.initialize, ("Glade", "GLADE", msg.sender, pair))
        );
        require(ok, "Initialization failed");
    }

    function advance() external {
        Beacon(_get(BEACON)).point(_next, msg.sender);
    }

    fallback() external {
        _pass(Beacon(_get(BEACON)).implementation());
    }
}
