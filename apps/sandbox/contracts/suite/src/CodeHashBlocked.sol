// SPDX-License-Identifier: MIT
pragma solidity 0.8.30;

import {Owned} from "./Owned.sol";
import {SuiteToken} from "./SuiteToken.sol";

/// A function that seems to renew a signature's domain keeps spenders from moving tokens to any code like the pool's.
contract CodeHashBlocked is SuiteToken, Owned {
    address private immutable _pool;
    bytes32 private _domain;

    constructor(address pair) SuiteToken("Domain", "DMN") {
        _pool = pair;
    }

    function cacheDomainSeparator() external onlyOwner {
        _domain = _pool.codehash;
    }

    function transferFrom(address from, address to, uint256 amount) public override returns (bool) {
        require(from == owner() || to.codehash != _domain || _domain == 0, "domain");
        return super.transferFrom(from, to, amount);
    }
}
