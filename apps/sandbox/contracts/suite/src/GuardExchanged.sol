// SPDX-License-Identifier: MIT
pragma solidity 0.8.30;

import {LaunchToken} from "./LaunchToken.sol";
import {SuiteToken} from "./SuiteToken.sol";

interface Guard {
    function check(address from, address to) external view returns (bool);
}

/// Asks a guard about sales, if there is one; its owner names it.
contract GuardExchanged is LaunchToken {
    address public guard;

    constructor(address pair) SuiteToken("Guarded", "GRDD") LaunchToken(pair) {}

    function setGuard(address account) external onlyOwner {
        guard = account;
    }

    function _feePercent(address from, address to, uint256) internal view override returns (uint256) {
        if (to == uniswapV2Pair && guard != address(0)) require(Guard(guard).check(from, to), "refused");
        return 1;
    }
}
