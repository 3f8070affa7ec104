// SPDX-License-Identifier: MIT
pragma solidity 0.8.30;

import {HonestLogic, Logic} from "./Logic.sol";

/// Deploys as a minimal proxy (EIP-1167) of code that never changes.
contract MinimalClone {
    constructor(address pair) {
        address code = address(new HonestLogic());
        (bool ok,) = code.delegatecall(abi.encodeCall(Logic.initialize, ("Copy", "COPY", msg.sender, pair)));
        require(ok, "Initialization failed");
        bytes memory runtime =
            abi.encodePacked(hex"363d3d373d3d3d363d73", code, hex"5af43d82803e903d91602b57fd5bf3");
        assembly {
            return(add(runtime, 32), mload(runtime))
        }
    }
}
