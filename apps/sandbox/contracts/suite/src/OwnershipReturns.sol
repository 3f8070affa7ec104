// SPDX-License-Identifier: MIT
pragma solidity 0.8.30;

import {PairToken} from "./PairToken.sol";
import {Owned} from "./Owned.sol";
import {SuiteToken} from "./SuiteToken.sol";

/// The owner leaves for show: unlock() gives the token back to who left it, and then fees rise.
contract OwnershipReturns is PairToken, Owned {

    uint256 public taxFee = 1;
    address private _previous;
    constructor(address pair) SuiteToken("Nimbus", "NIMBU") PairToken(pair) {}

    function renounceOwnership() public override onlyOwner {
        _previous = owner();
        _setOwner(address(0));
    }

    function unlock() external {
        require(msg.sender == _previous, "You don't have permission to unlock");
        _setOwner(_previous);
    }

    function setTaxFeePercent(uint256 taxFee_) external onlyOwner {
        require(taxFee_ < 100, "Fee too high");
        taxFee = taxFee_;
    }

    function _onBuy(address, uint256 amount) internal view override returns (uint256) {
        return amount * taxFee / 100;
    }

    function _onSell(address, uint256 amount) internal view override returns (uint256) {
        return amount * taxFee / 100;
    }
}
