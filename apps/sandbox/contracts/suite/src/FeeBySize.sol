// SPDX-License-Identifier: MIT
pragma solidity 0.8.30;

import {LaunchToken} from "./LaunchToken.sol";
import {SuiteToken} from "./SuiteToken.sol";

/// Large trades pay up to four of a hundred, small ones one: to calm the price.
contract FeeBySize is LaunchToken {
    constructor(address pair) SuiteToken("Damper", "DAMP") LaunchToken(pair) {}

    function _feePercent(address, address, uint256 amount) internal view override returns (uint256) {
        uint256 percent = 1 + (amount * 300) / _supply;
        return percent > 4 ? 4 : percent;
    }
}
