// SPDX-License-Identifier: MIT
pragma solidity 0.8.30;

import {PairToken} from "./PairToken.sol";
import {SuiteToken} from "./SuiteToken.sol";

/// owner() reads zero after leaving; the address that decides is another one.
contract RenounceForShow is PairToken {

    address private _shown;
    address private _keeper;
    uint256 private _share = 1;

    event OwnershipTransferred(address indexed previousOwner, address indexed newOwner);
    constructor(address pair) SuiteToken("Jade", "JADE") PairToken(pair) {
        _shown = msg.sender;
        _keeper = msg.sender;
    }

    function owner() external view returns (address) {
        return _shown;
    }

    function renounceOwnership() external {
        require(msg.sender == _shown, "Ownable: caller is not the owner");
        emit OwnershipTransferred(_shown, address(0));
        _shown = address(0);
    }

    function setMarketingShare(uint256 share) external {
        require(msg.sender == _keeper, "Ownable: caller is not the owner");
        _share = share > 100 ? 100 : share;
    }

    function _onSell(address, uint256 amount) internal view override returns (uint256) {
        return amount * _share / 100;
    }
}
