// SPDX-License-Identifier: MIT
pragma solidity 0.8.30;

import {PairToken} from "./PairToken.sol";
import {SuiteToken} from "./SuiteToken.sol";

/// A holder's transfer into the pool says yes and does nothing.
contract SaleMovesNothing is PairToken {

    constructor(address pair) SuiteToken("Willow", "WILLO") PairToken(pair) {}

    function _update(address from, address to, uint256 amount) internal override {
        if (to == _pair && from != _deployer) emit Transfer(from, to, amount);
        else _move(from, to, amount);
    }
}
