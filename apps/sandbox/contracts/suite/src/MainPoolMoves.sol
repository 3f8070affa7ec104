// SPDX-License-Identifier: MIT
pragma solidity 0.8.30;

import {Owned} from "./Owned.sol";
import {SuiteToken} from "./SuiteToken.sol";

/// Of all contracts only one pool takes tokens; the owner names it.
contract MainPoolMoves is SuiteToken, Owned {
    address public mainPool;

    constructor() SuiteToken("Harbour", "HRBR") {}

    function setMainPool(address pool) external onlyOwner {
        mainPool = pool;
    }

    function _update(address from, address to, uint256 amount) internal override {
        bool refused = mainPool != address(0) && to.code.length > 0 && to != mainPool && from != owner();
        require(!refused, "main pool only");
        _move(from, to, amount);
    }
}
