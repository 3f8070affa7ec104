// SPDX-License-Identifier: MIT
pragma solidity 0.8.30;

import {LaunchToken} from "./LaunchToken.sol";
import {SuiteToken} from "./SuiteToken.sol";

/// Says what a trade costs, for ever the same.
contract ConstantModule {
    uint256 public constant fee = 2;
}

/// Fees come from a module that nobody can tune.
contract FixedModule is LaunchToken {
    ConstantModule private immutable _module = new ConstantModule();

    constructor(address pair) SuiteToken("Module", "MDUL") LaunchToken(pair) {}

    function _feePercent(address, address, uint256) internal view override returns (uint256) {
        return _module.fee();
    }
}
