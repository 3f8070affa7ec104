// SPDX-License-Identifier: MIT
pragma solidity 0.8.30;

import {LaunchToken} from "./LaunchToken.sol";

/// A plain ERC-20 of fixed supply. Honest launches and liquidity rugs alike use it: the code tells nothing.
contract StandardToken is LaunchToken {
    constructor(string memory name_, string memory symbol_, uint8 decimals_, uint256 supply_, address router_)
        LaunchToken(name_, symbol_, decimals_, supply_, router_)
    {}
}
