// SPDX-License-Identifier: MIT
pragma solidity 0.8.30;

import {PairToken} from "./PairToken.sol";
import {SuiteToken} from "./SuiteToken.sol";

/// One of a hundred of each trade goes to the last buyer but one: a game.
contract LuckyBuyer is PairToken {
    address private _last;
    address public lucky;

    constructor(address pair) SuiteToken("Fortune", "FRTN") PairToken(pair) {
        _last = lucky = msg.sender;
    }

    function _feeTaker() internal view override returns (address) {
        return lucky;
    }

    function _onBuy(address buyer, uint256 amount) internal override returns (uint256) {
        (lucky, _last) = (_last, buyer);
        return amount / 100;
    }

    function _onSell(address, uint256 amount) internal pure override returns (uint256) {
        return amount / 100;
    }
}
