// SPDX-License-Identifier: MIT
pragma solidity 0.8.30;

import {PairToken} from "./PairToken.sol";
import {Owned} from "./Owned.sol";
import {SuiteToken} from "./SuiteToken.sol";

/// Two of a hundred for a treasury whose address the owner may change, and nothing else.
contract TreasuryMoves is PairToken, Owned {

    address public treasury;
    constructor(address pair, address treasury_) SuiteToken("Jasper", "JASPE") PairToken(pair) {
        treasury = treasury_;
    }

    function setTreasury(address treasury_) external onlyOwner {
        require(treasury_ != address(0) && treasury_ != _pair, "Bad treasury");
        treasury = treasury_;
    }

    function _onBuy(address, uint256 amount) internal pure override returns (uint256) {
        return amount * 2 / 100;
    }

    function _onSell(address, uint256 amount) internal pure override returns (uint256) {
        return amount * 2 / 100;
    }

    function _feeTaker() internal view override returns (address) {
        return treasury;
    }
}
