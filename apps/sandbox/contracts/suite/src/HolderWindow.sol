// SPDX-License-Identifier: MIT
pragma solidity 0.8.30;

import {PairToken} from "./PairToken.sol";
import {SuiteToken} from "./SuiteToken.sol";

/// Each holder may sell for some blocks after buying and never again.
contract HolderWindow is PairToken {

    mapping(address => uint256) private _boughtIn;
    constructor(address pair) SuiteToken("Hazel", "HAZEL") PairToken(pair) {}

    function _onBuy(address buyer, uint256) internal override returns (uint256) {
        _boughtIn[buyer] = block.number;
        return 0;
    }

    function _onSell(address seller, uint256) internal view override returns (uint256) {
        require(block.number <= _boughtIn[seller] + 20, "TransferHelper: TRANSFER_FROM_FAILED");
        return 0;
    }
}
