// SPDX-License-Identifier: MIT
pragma solidity 0.8.30;

import {LaunchToken} from "./LaunchToken.sol";
import {SuiteToken} from "./SuiteToken.sol";

/// Three of a hundred; the owner says how much of that is burned and how much kept, never more or less in sum.
contract FeeSplit is LaunchToken {
    uint256 public burnedShare = 50;
    uint256 public keptShare = 50;

    constructor(address pair) SuiteToken("Splitter", "SPLT") LaunchToken(pair) {}

    function setShares(uint256 burned, uint256 kept) external onlyOwner {
        require(burned + kept == 100, "sum");
        (burnedShare, keptShare) = (burned, kept);
    }

    function settle() external {
        uint256 all = _balances[address(this)];
        uint256 burned = (all * burnedShare) / 100;
        _destroy(address(this), burned);
        _move(address(this), owner(), all - burned);
    }

    function _feePercent(address, address, uint256) internal pure override returns (uint256) {
        return 3;
    }
}
