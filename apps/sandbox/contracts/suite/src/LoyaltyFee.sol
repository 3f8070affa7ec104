// SPDX-License-Identifier: MIT
pragma solidity 0.8.30;

import {LaunchToken} from "./LaunchToken.sol";
import {SuiteToken} from "./SuiteToken.sol";

/// Sales cost five of a hundred, after a day of holding one.
contract LoyaltyFee is LaunchToken {
    mapping(address => uint256) public lastBought;

    constructor(address pair) SuiteToken("Loyal", "LOYL") LaunchToken(pair) {}

    function _feePercent(address from, address to, uint256) internal override returns (uint256) {
        if (from == uniswapV2Pair) lastBought[to] = block.timestamp;
        if (to != uniswapV2Pair) return 0;
        return block.timestamp - lastBought[from] > 1 days ? 1 : 5;
    }
}
