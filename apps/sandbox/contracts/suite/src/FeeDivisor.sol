// SPDX-License-Identifier: MIT
pragma solidity 0.8.30;

import {Owned} from "./Owned.sol";
import {PairToken} from "./PairToken.sol";
import {SuiteToken} from "./SuiteToken.sol";

/// The owner sets what an amount is divided by to get its fee: a large number is harmless, a small one is not.
contract FeeDivisor is PairToken, Owned {
    uint256 public feeDivisor = 50;

    constructor(address pair) SuiteToken("Quotient", "QTNT") PairToken(pair) {}

    function setFeeDivisor(uint256 divisor) external onlyOwner {
        require(divisor > 1);
        feeDivisor = divisor;
    }

    function _onSell(address, uint256 amount) internal view override returns (uint256) {
        return (amount * 2 - 1) / feeDivisor;
    }
}
