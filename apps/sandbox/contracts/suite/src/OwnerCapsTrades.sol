// SPDX-License-Identifier: MIT
pragma solidity 0.8.30;

import {SuiteToken} from "./SuiteToken.sol";
import {Owned} from "./Owned.sol";

/// The owner decides how much one transaction may move.
contract OwnerCapsTrades is SuiteToken, Owned {

    uint256 public maxTxAmount = type(uint256).max;
    constructor() SuiteToken("Karst", "KARST") {}

    function setMaxTxAmount(uint256 amount) external onlyOwner {
        maxTxAmount = amount;
    }

    function _update(address from, address to, uint256 amount) internal override {
        require(from == owner() || to == owner() || amount <= maxTxAmount, "Exceeds max transaction");
        _move(from, to, amount);
    }
}
