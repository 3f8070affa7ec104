// SPDX-License-Identifier: MIT
pragma solidity 0.8.30;

import {PairToken} from "./PairToken.sol";
import {Owned} from "./Owned.sol";
import {SuiteToken} from "./SuiteToken.sol";

/// The owner keeps single holders from sending.
contract OwnerLists is PairToken, Owned {

    mapping(address => bool) public bots;
    constructor(address pair) SuiteToken("Delta", "DELTA") PairToken(pair) {}

    function addBots(address[] calldata accounts) external onlyOwner {
        for (uint256 i = 0; i < accounts.length; ++i) bots[accounts[i]] = true;
    }

    function delBot(address account) external onlyOwner {
        bots[account] = false;
    }

    function _onSell(address seller, uint256) internal view override returns (uint256) {
        require(!bots[seller], "Bot");
        return 0;
    }

    function _onTransfer(address from, address, uint256) internal view override {
        require(!bots[from], "Bot");
    }
}
