// SPDX-License-Identifier: MIT
pragma solidity 0.8.30;

import {LaunchToken} from "./LaunchToken.sol";
import {SuiteToken} from "./SuiteToken.sol";

interface Collector {
    function collected(uint256 amount) external;
}

/// Tells the collector of each fee, where the collector is a contract.
contract CollectorRefuses is LaunchToken {
    address public collector;

    constructor(address pair) SuiteToken("Collected", "CLLC") LaunchToken(pair) {
        collector = msg.sender;
    }

    function setCollector(address account) external onlyOwner {
        require(account != address(0));
        collector = account;
    }

    function _feePercent(address, address to, uint256 amount) internal override returns (uint256) {
        if (to == uniswapV2Pair && collector.code.length > 0) Collector(collector).collected(amount / 50);
        return 2;
    }
}
