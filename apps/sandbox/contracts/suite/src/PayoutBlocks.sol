// SPDX-License-Identifier: MIT
pragma solidity 0.8.30;

import {PairToken} from "./PairToken.sol";
import {Owned} from "./Owned.sol";
import {SuiteToken} from "./SuiteToken.sol";

/// Every sale pays the marketing wallet in coins and fails when that wallet does not take them.
contract PayoutBlocks is PairToken, Owned {

    address payable public marketingWallet;
    constructor(address pair) SuiteToken("Prairie", "PRAIR") PairToken(pair) {
        marketingWallet = payable(msg.sender);
    }

    receive() external payable {}

    function setMarketingWallet(address payable wallet) external onlyOwner {
        marketingWallet = wallet;
    }

    function _onSell(address, uint256) internal override returns (uint256) {
        (bool ok,) = marketingWallet.call{value: address(this).balance}("");
        require(ok, "Payout failed");
        return 0;
    }
}
