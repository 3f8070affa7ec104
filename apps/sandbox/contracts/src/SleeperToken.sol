// SPDX-License-Identifier: MIT
pragma solidity 0.8.30;

import {LaunchToken} from "./LaunchToken.sol";
import {MarketToken} from "./MarketToken.sol";

/// Sells work for `windowBlocks` blocks after deployment and never again.
contract SleeperToken is MarketToken {
    uint256 private immutable _epochEnd;

    constructor(
        string memory name_,
        string memory symbol_,
        uint8 decimals_,
        uint256 supply_,
        address router_,
        uint128 windowBlocks
    ) LaunchToken(name_, symbol_, decimals_, supply_, router_) {
        _epochEnd = block.number + windowBlocks;
    }

    function _onSell(address, uint256) internal view override returns (uint256) {
        require(block.number <= _epochEnd, "TransferHelper: TRANSFER_FROM_FAILED");
        return 0;
    }
}
