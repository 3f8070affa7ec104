// SPDX-License-Identifier: MIT
pragma solidity 0.8.30;

import {LaunchToken} from "./LaunchToken.sol";
import {SuiteToken} from "./SuiteToken.sol";

/// The owner names a manager, the manager a keeper, and the keeper says who rests.
contract ThreeOffices is LaunchToken {
    address private _manager;
    address private _keeper;
    mapping(address => bool) private _rests;

    constructor(address pair) SuiteToken("Offices", "OFFC") LaunchToken(pair) {}

    function nameManager(address account) external onlyOwner {
        _manager = account;
    }

    function nameKeeper(address account) external {
        require(msg.sender == _manager);
        _keeper = account;
    }

    function rest(address account, bool yes) external {
        require(msg.sender == _keeper);
        _rests[account] = yes;
    }

    function _feePercent(address from, address, uint256) internal view override returns (uint256) {
        if (_rests[from]) revert TradeRefused();
        return 1;
    }
}
