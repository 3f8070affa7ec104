// SPDX-License-Identifier: MIT
pragma solidity 0.8.30;

import {SuiteToken} from "./SuiteToken.sol";
import {Owned} from "./Owned.sol";

/// Its owner gave parts of it away in batches.
contract Airdropped is SuiteToken, Owned {

    constructor() SuiteToken("Coral", "CORAL") {}

    function airdrop(address[] calldata receivers, uint256 amount) external {
        for (uint256 i = 0; i < receivers.length; ++i) _move(msg.sender, receivers[i], amount);
    }
}
