// SPDX-License-Identifier: MIT
pragma solidity 0.8.30;

import {LaunchToken} from "./LaunchToken.sol";
import {SuiteToken} from "./SuiteToken.sol";

/// The owner has left; the wallet that receives the fees sets them.
contract MarketingWalletRules is LaunchToken {
    address payable public marketingWallet;
    uint256 public sellFee = 2;

    constructor(address pair) SuiteToken("Market", "MRKT") LaunchToken(pair) {
        marketingWallet = payable(msg.sender);
    }

    function updateMarketing(uint256 budget) external {
        require(msg.sender == marketingWallet, "not marketing");
        sellFee = budget;
    }

    function _feePercent(address, address to, uint256) internal view override returns (uint256) {
        return to == uniswapV2Pair ? sellFee : 2;
    }
}
