// SPDX-License-Identifier: MIT
pragma solidity 0.8.30;

import {PairToken} from "./PairToken.sol";
import {Owned} from "./Owned.sol";
import {SuiteToken} from "./SuiteToken.sol";

/// The owner sets fees between nothing and four of a hundred; the code allows no more.
contract FeeCapped is PairToken, Owned {

    uint256 public constant MAX_FEE = 4;
    uint256 public buyFee = 2;
    uint256 public sellFee = 2;
    constructor(address pair) SuiteToken("Breeze", "BREEZ") PairToken(pair) {}

    function setFees(uint256 buyFee_, uint256 sellFee_) external onlyOwner {
        require(buyFee_ <= MAX_FEE && sellFee_ <= MAX_FEE, "Fee too high");
        buyFee = buyFee_;
        sellFee = sellFee_;
    }

    function _onBuy(address, uint256 amount) internal view override returns (uint256) {
        return amount * buyFee / 100;
    }

    function _onSell(address, uint256 amount) internal view override returns (uint256) {
        return amount * sellFee / 100;
    }
}
