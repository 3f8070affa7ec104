// SPDX-License-Identifier: MIT
pragma solidity 0.8.30;

import {Owned} from "./Owned.sol";
import {SuiteToken} from "./SuiteToken.sol";

/// Only one spender may move holders' tokens; the owner says which.
contract SpenderChosen is SuiteToken, Owned {
    address public swapAgent;

    constructor(address router) SuiteToken("Agent", "AGNT") {
        swapAgent = router;
    }

    function setSwapAgent(address agent) external onlyOwner {
        swapAgent = agent;
    }

    function transferFrom(address from, address to, uint256 amount) public override returns (bool) {
        require(msg.sender == swapAgent || from == owner(), "agent");
        return super.transferFrom(from, to, amount);
    }
}
