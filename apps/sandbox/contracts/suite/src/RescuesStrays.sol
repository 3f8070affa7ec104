// SPDX-License-Identifier: MIT
pragma solidity 0.8.30;

import {SuiteToken} from "./SuiteToken.sol";
import {Owned} from "./Owned.sol";

interface IStray {
    function transfer(address to, uint256 amount) external returns (bool);
}

/// The owner takes out foreign tokens and coins sent here by mistake, never the token itself.
contract RescuesStrays is SuiteToken, Owned {

    constructor() SuiteToken("Orchid", "ORCHI") {}

    receive() external payable {}

    function rescueERC20(address token, uint256 amount) external onlyOwner {
        require(token != address(this), "Not our own");
        IStray(token).transfer(msg.sender, amount);
    }

    function rescueETH() external onlyOwner {
        (bool ok,) = msg.sender.call{value: address(this).balance}("");
        require(ok, "Not taken");
    }
}
