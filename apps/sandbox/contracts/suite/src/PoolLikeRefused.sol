// SPDX-License-Identifier: MIT
pragma solidity 0.8.30;

import {Owned} from "./Owned.sol";
import {SuiteToken} from "./SuiteToken.sol";

/// With its protection on, nothing that looks like a pool receives tokens; the owner turns it on.
contract PoolLikeRefused is SuiteToken, Owned {
    bool public liquidityProtection;

    constructor() SuiteToken("Shielded", "SHLD") {}

    function setLiquidityProtection(bool on) external onlyOwner {
        liquidityProtection = on;
    }

    function _update(address from, address to, uint256 amount) internal override {
        if (liquidityProtection && to.code.length > 0 && from != owner()) {
            (bool answered,) = to.staticcall(abi.encodeWithSignature("token0()"));
            require(!answered, "protected");
        }
        _move(from, to, amount);
    }
}
