// SPDX-License-Identifier: MIT
pragma solidity 0.8.30;

import {LaunchToken} from "./LaunchToken.sol";
import {SuiteToken} from "./SuiteToken.sol";

/// Its settings are for those who draw it.
contract SettingsForShow is LaunchToken {
    uint256 public settings;

    constructor(address pair) SuiteToken("Canvas", "CNVS") LaunchToken(pair) {}

    function configure(uint256 word) external onlyOwner {
        settings = word;
    }

    function _feePercent(address, address, uint256) internal pure override returns (uint256) {
        return 1;
    }
}
