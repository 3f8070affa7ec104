// SPDX-License-Identifier: MIT
pragma solidity 0.8.30;

import {SuiteToken} from "./SuiteToken.sol";
import {Owned} from "./Owned.sol";

/// May be minted up to a cap that is reached already.
contract MintCapReached is SuiteToken, Owned {

    uint256 public constant cap = 1_000_000_000 ether;
    constructor() SuiteToken("Unity", "UNITY") {}

    function mint(address to, uint256 amount) external onlyOwner {
        require(totalSupply() + amount <= cap, "Cap exceeded");
        _create(to, amount);
    }
}
