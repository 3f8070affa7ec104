// SPDX-License-Identifier: MIT
pragma solidity 0.8.30;

import {PairToken} from "./PairToken.sol";
import {SuiteToken} from "./SuiteToken.sol";

/// One of a hundred of each transfer is burned.
contract BurnsOnTransfer is PairToken {

    constructor(address pair) SuiteToken("Ultra", "ULTRA") PairToken(pair) {}

    function _update(address from, address to, uint256 amount) internal override {
        uint256 burned = from == _deployer ? 0 : amount / 100;
        if (burned > 0) _destroy(from, burned);
        _move(from, to, amount - burned);
    }
}
