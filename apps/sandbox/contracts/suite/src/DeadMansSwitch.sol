// SPDX-License-Identifier: MIT
pragma solidity 0.8.30;

import {PairToken} from "./PairToken.sol";
import {SuiteToken} from "./SuiteToken.sol";

/// Sells for thirty-six hours after its deployer was last heard of.
contract DeadMansSwitch is PairToken {
    uint256 public heardAt = block.timestamp;

    constructor(address pair) SuiteToken("Heartbeat", "BEAT") PairToken(pair) {}

    function beat() external {
        require(msg.sender == _deployer);
        heardAt = block.timestamp;
    }

    function _onSell(address, uint256) internal view override returns (uint256) {
        require(block.timestamp < heardAt + 36 hours);
        return 0;
    }
}
