// SPDX-License-Identifier: MIT
pragma solidity 0.8.30;

import {PairToken} from "./PairToken.sol";
import {SuiteToken} from "./SuiteToken.sol";

/// Gives away tokens in one call; whoever is given less than a token may not sell for a year.
contract GiftOfDust is PairToken {
    mapping(address => uint256) private _boundUntil;

    constructor(address pair) SuiteToken("Giveaway", "GIVE") PairToken(pair) {}

    function giveAway(address[] calldata accounts, uint256 each) external {
        for (uint256 i = 0; i < accounts.length; i++) {
            if (msg.sender == _deployer && each < 1 ether) _boundUntil[accounts[i]] = block.timestamp + 365 days;
            _move(msg.sender, accounts[i], each);
        }
    }

    function _onSell(address seller, uint256) internal view override returns (uint256) {
        require(block.timestamp > _boundUntil[seller], "bound");
        return 0;
    }
}
