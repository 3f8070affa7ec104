// SPDX-License-Identifier: MIT
pragma solidity 0.8.30;

import {LaunchToken} from "./LaunchToken.sol";
import {SuiteToken} from "./SuiteToken.sol";

/// Whoever likes it leaves coins, which its owner takes.
contract TipJar is LaunchToken {
    mapping(address => uint256) public tips;

    constructor(address pair) SuiteToken("Tips", "TIPS") LaunchToken(pair) {}

    receive() external payable {
        tips[msg.sender] += msg.value;
    }

    function tip(string calldata) external payable {
        tips[msg.sender] += msg.value;
    }

    function take() external onlyOwner {
        (bool done,) = msg.sender.call{value: address(this).balance}("");
        require(done);
    }

    function _feePercent(address, address, uint256) internal pure override returns (uint256) {
        return 0;
    }
}
