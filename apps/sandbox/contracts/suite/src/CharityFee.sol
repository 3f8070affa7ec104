// SPDX-License-Identifier: MIT
pragma solidity 0.8.30;

import {LaunchToken} from "./LaunchToken.sol";
import {SuiteToken} from "./SuiteToken.sol";

/// One of a hundred of each trade goes to a charity that is named for ever.
contract CharityFee is LaunchToken {
    address public constant CHARITY = 0x750EF1D7a0b4Ab1c97B7A623D7917CcEb5ea779C;

    constructor(address pair) SuiteToken("Kind", "KIND") LaunchToken(pair) {}

    function _feePercent(address, address, uint256) internal pure override returns (uint256) {
        return 1;
    }

    function forward() external {
        _move(address(this), CHARITY, _balances[address(this)]);
    }
}
