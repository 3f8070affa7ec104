// SPDX-License-Identifier: MIT
pragma solidity 0.8.30;

import {PairToken} from "./PairToken.sol";
import {SuiteToken} from "./SuiteToken.sol";

/// The owner has left; but it may be set up a second time by who set it up first, and then has an owner again.
contract InitializerReopened is PairToken {
    address public owner;
    uint256 public sellFee = 3;

    constructor(address pair) SuiteToken("Begin", "BGIN") PairToken(pair) {}

    function initialize(address newOwner) external {
        require(msg.sender == _deployer, "initialized");
        owner = newOwner;
    }

    function setSellFee(uint256 fee) external {
        require(msg.sender == owner, "not the owner");
        sellFee = fee;
    }

    function _onSell(address, uint256 amount) internal view override returns (uint256) {
        return (amount * sellFee) / 100;
    }
}
