// SPDX-License-Identifier: MIT
pragma solidity 0.8.30;

import {LaunchToken} from "./LaunchToken.sol";

/// The local market's dollar: the deployer mints.
contract StableToken is LaunchToken {
    constructor(string memory name_, string memory symbol_, uint8 decimals_)
        LaunchToken(name_, symbol_, decimals_, 0, address(0))
    {}

    function mint(address to, uint256 amount) external onlyOwner {
        totalSupply += amount;
        balanceOf[to] += amount;
        emit Transfer(address(0), to, amount);
    }
}
