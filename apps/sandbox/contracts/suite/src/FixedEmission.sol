// SPDX-License-Identifier: MIT
pragma solidity 0.8.30;

import {SuiteToken} from "./SuiteToken.sol";

/// Grows by a twenty-thousandth a day for those who secure a network elsewhere; the rate is fixed, anybody may call.
contract FixedEmission is SuiteToken {
    address public immutable bridge = msg.sender;
    uint256 public emittedAt = block.timestamp;

    constructor() SuiteToken("Emission", "EMIT") {}

    function emitTokens() external {
        uint256 passed = (block.timestamp - emittedAt) / 1 days;
        if (passed == 0) return;
        emittedAt += passed * 1 days;
        _create(bridge, (_supply * passed) / 20_000);
    }
}
