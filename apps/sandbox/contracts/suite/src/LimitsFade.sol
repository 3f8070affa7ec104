// SPDX-License-Identifier: MIT
pragma solidity 0.8.30;

import {PairToken} from "./PairToken.sol";
import {SuiteToken} from "./SuiteToken.sol";

/// Wallets may hold more with every block after the launch, until all of it; nobody decides.
contract LimitsFade is PairToken {

    uint256 private immutable _born;
    constructor(address pair) SuiteToken("Quest", "QUEST") PairToken(pair) {
        _born = block.number;
    }

    function maxWallet() public view returns (uint256) {
        uint256 share = 5 + (block.number - _born);
        return share >= 100 ? totalSupply() : totalSupply() * share / 100;
    }

    function _onBuy(address buyer, uint256 amount) internal view override returns (uint256) {
        require(balanceOf(buyer) + amount <= maxWallet(), "Exceeds max wallet");
        return 0;
    }
}
