// SPDX-License-Identifier: MIT
pragma solidity 0.8.30;

import {HonestLogic, Logic} from "./Logic.sol";
import {SlotProxy} from "./SlotProxy.sol";

/// Holds a proxy's keys. Whatever its maker wants to do is announced seven days before; the delay cannot be shortened.
contract Timelock {
    uint256 public constant getMinDelay = 7 days;
    address private immutable _maker;
    mapping(bytes32 => uint256) public getTimestamp; // when an announced call may be made

    event CallScheduled(bytes32 indexed id, address target, bytes data, uint256 readyAt);

    constructor(address maker) {
        _maker = maker;
    }

    function schedule(address target, bytes calldata data) external {
        require(msg.sender == _maker, "Not maker");
        bytes32 id = keccak256(abi.encode(target, data));
        getTimestamp[id] = block.timestamp + getMinDelay;
        emit CallScheduled(id, target, data, getTimestamp[id]);
    }

    function execute(address target, bytes calldata data) external {
        bytes32 id = keccak256(abi.encode(target, data));
        require(getTimestamp[id] != 0 && block.timestamp >= getTimestamp[id], "Not ready");
        delete getTimestamp[id];
        (bool ok,) = target.call(data);
        require(ok, "Call failed");
    }
}

/// A proxy whose code changes seven days after it was announced: time enough for everybody to leave.
contract UpgradedAfterNotice is SlotProxy {
    constructor(address pair) {
        _set(ADMIN, address(new Timelock(msg.sender)));
        _begin(address(new HonestLogic()), abi.encodeCall(Logic.initialize, ("Patient", "PTNT", msg.sender, pair)));
    }

    function upgradeTo(address code) external {
        require(msg.sender == _get(ADMIN), "Not admin");
        _set(IMPLEMENTATION, code);
        emit Upgraded(code);
    }

    fallback() external {
        _pass(_get(IMPLEMENTATION));
    }
}
