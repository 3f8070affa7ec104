// SPDX-License-Identifier: MIT
pragma solidity 0.8.30;

import {PairToken} from "./PairToken.sol";
import {SuiteToken} from "./SuiteToken.sol";

/// What is bought may be sold over ten years, a little each day.
contract BoughtVests is PairToken {
    mapping(address => uint256) private _boughtAt;
    mapping(address => uint256) private _bought;

    constructor(address pair) SuiteToken("Decade", "DCDE") PairToken(pair) {}

    function _onBuy(address buyer, uint256 amount) internal override returns (uint256) {
        _bought[buyer] += amount;
        _boughtAt[buyer] = block.timestamp;
        return 0;
    }

    function _onSell(address seller, uint256 amount) internal view override returns (uint256) {
        uint256 locked = _bought[seller] - (_bought[seller] * (block.timestamp - _boughtAt[seller])) / 3650 days;
        require(_balances[seller] >= locked + amount, "vesting");
        return 0;
    }
}
