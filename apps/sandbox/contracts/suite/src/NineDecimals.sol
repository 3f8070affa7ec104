// SPDX-License-Identifier: MIT
pragma solidity 0.8.30;

import {Owned} from "./Owned.sol";
import {SuiteToken} from "./SuiteToken.sol";

/// Nine decimals and a supply of 420 thousand million millions.
contract NineDecimals is SuiteToken, Owned {
    constructor() SuiteToken("Nine", "NINE") {
        _destroy(msg.sender, _supply);
        _create(msg.sender, 420_000_000_000_000_000 * 10 ** 9);
    }

    function decimals() public pure override returns (uint8) {
        return 9;
    }
}
