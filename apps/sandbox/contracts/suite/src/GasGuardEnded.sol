// SPDX-License-Identifier: MIT
pragma solidity 0.8.30;

import {LaunchToken} from "./LaunchToken.sol";
import {SuiteToken} from "./SuiteToken.sol";

/// Refused gas prices that only robots pay, until the owner ended that for good.
contract GasGuardEnded is LaunchToken {
    uint256 public constant LIMIT = 1 gwei / 2;
    bool public guardEnded;

    constructor(address pair) SuiteToken("Unhurried", "UNHR") LaunchToken(pair) {}

    function endGuard() external onlyOwner {
        guardEnded = true;
    }

    function _feePercent(address, address, uint256) internal view override returns (uint256) {
        if (!guardEnded && tx.gasprice > LIMIT) revert TradeRefused();
        return 0;
    }
}
