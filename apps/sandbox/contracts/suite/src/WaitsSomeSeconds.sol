// SPDX-License-Identifier: MIT
pragma solidity 0.8.30;

import {PairToken} from "./PairToken.sol";
import {SuiteToken} from "./SuiteToken.sol";

/// Between two trades of an account lie twenty seconds.
contract WaitsSomeSeconds is PairToken {

    mapping(address => uint256) private _tradedAt;
    constructor(address pair) SuiteToken("Yucca", "YUCCA") PairToken(pair) {}

    function _onBuy(address buyer, uint256) internal override returns (uint256) {
        _tradedAt[buyer] = block.timestamp;
        return 0;
    }

    function _onSell(address seller, uint256) internal override returns (uint256) {
        require(block.timestamp >= _tradedAt[seller] + 20, "Cooldown");
        _tradedAt[seller] = block.timestamp;
        return 0;
    }
}
