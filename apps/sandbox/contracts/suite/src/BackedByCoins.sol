// SPDX-License-Identifier: MIT
pragma solidity 0.8.30;

import {SuiteToken} from "./SuiteToken.sol";

/// Holders may give tokens back for their share of the coins inside.
contract BackedByCoins is SuiteToken {
    constructor() payable SuiteToken("Backed", "BACK") {}

    receive() external payable {}

    function redeem(uint256 amount) external {
        uint256 coins = (address(this).balance * amount) / _supply;
        _destroy(msg.sender, amount);
        (bool sent,) = msg.sender.call{value: coins}("");
        require(sent, "not sent");
    }
}
