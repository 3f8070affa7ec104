// SPDX-License-Identifier: MIT
pragma solidity 0.8.30;

import {HonestLogic, Logic, TrapLogic} from "./Logic.sol";
import {SlotProxy} from "./SlotProxy.sol";

/// A proxy whose admin exchanges the code whenever it likes. The next code is deployed already.
contract UpgradedAtWill is SlotProxy {
    address public immutable successor;

    constructor(address pair) {
        _set(ADMIN, msg.sender);
        successor = address(new TrapLogic());
        _begin(address(new HonestLogic()), abi.encodeCall(Logic.initialize, ("Plume", "PLUME", msg.sender, pair)));
    }

    function upgradeTo(address code) external {
        require(msg.sender == _get(ADMIN), "Not admin");
        _set(IMPLEMENTATION, code);
        emit Upgraded(code);
    }

    function upgradeToSuccessor() external {
        require(msg.sender == _get(ADMIN), "Not admin");
        _set(IMPLEMENTATION, successor);
        emit Upgraded(successor);
    }

    fallback() external {
        _pass(_get(IMPLEMENTATION));
    }
}
