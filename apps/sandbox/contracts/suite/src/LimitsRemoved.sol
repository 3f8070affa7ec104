// SPDX-License-Identifier: MIT
pragma solidity 0.8.30;

import {PairToken} from "./PairToken.sol";
import {Owned} from "./Owned.sol";
import {SuiteToken} from "./SuiteToken.sol";

/// Started with a wallet limit; the owner lifted it and left.
contract LimitsRemoved is PairToken, Owned {

    uint256 public maxWalletAmount = 1_000_000 ether;
    bool public limitsInEffect = true;
    constructor(address pair) SuiteToken("Vesper", "VESPE") PairToken(pair) {}

    function removeLimits() external onlyOwner {
        limitsInEffect = false;
    }

    function updateMaxWalletAmount(uint256 amount) external onlyOwner {
        require(amount >= 5_000_000 ether, "Too low");
        maxWalletAmount = amount;
    }

    function _onBuy(address buyer, uint256 amount) internal view override returns (uint256) {
        require(!limitsInEffect || balanceOf(buyer) + amount <= maxWalletAmount, "Exceeds max wallet");
        return 0;
    }
}
