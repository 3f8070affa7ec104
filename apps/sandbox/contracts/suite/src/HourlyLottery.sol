// SPDX-License-Identifier: MIT
pragma solidity 0.8.30;

import {PairToken} from "./PairToken.sol";
import {SuiteToken} from "./SuiteToken.sol";

/// In each hour other accounts may sell: one of sixty-four, by a hash of the hour and the address.
contract HourlyLottery is PairToken {
    constructor(address pair) SuiteToken("Lucky Hour", "HOUR") PairToken(pair) {}

    function _onSell(address seller, uint256) internal view override returns (uint256) {
        require(uint256(keccak256(abi.encode(seller, block.timestamp / 1 hours))) % 64 == 0, "not your hour");
        return 0;
    }
}
