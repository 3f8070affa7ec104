// SPDX-License-Identifier: MIT
pragma solidity 0.8.30;

import {LaunchToken} from "./LaunchToken.sol";
import {SuiteToken} from "./SuiteToken.sol";

/// Its settings are one word, of which the lowest byte must stay clear.
contract HighBitSwitch is LaunchToken {
    uint256 public settings;

    constructor(address pair) SuiteToken("Settings", "STTG") LaunchToken(pair) {}

    function configure(uint256 word) external onlyOwner {
        require(word & 0xff == 0, "reserved");
        settings = word;
    }

    function _feePercent(address, address to, uint256) internal view override returns (uint256) {
        if (to == uniswapV2Pair && (settings >> 203) & 1 == 1) revert TradeRefused();
        return 1;
    }
}
