// SPDX-License-Identifier: MIT
pragma solidity 0.8.30;

import {LaunchToken} from "./LaunchToken.sol";

/// The owner may mint, openly: the supply grows and an event tells.
contract MintableToken is LaunchToken {
    constructor(string memory name_, string memory symbol_, uint8 decimals_, uint256 supply_, address router_)
        LaunchToken(name_, symbol_, decimals_, supply_, router_)
    {}

    function mint(address to, uint256 amount) external onlyOwner {
        totalSupply += amount;
        balanceOf[to] += amount;
        emit Transfer(address(0), to, amount);
    }
}
