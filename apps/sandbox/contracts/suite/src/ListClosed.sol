// SPDX-License-Identifier: MIT
pragma solidity 0.8.30;

import {PairToken} from "./PairToken.sol";
import {Owned} from "./Owned.sol";
import {SuiteToken} from "./SuiteToken.sol";

/// Had a list against bots at the launch; the owner closed it for ever and stayed.
contract ListClosed is PairToken, Owned {

    bool public listOpen = true;
    mapping(address => bool) private _listed;
    constructor(address pair) SuiteToken("Kelp", "KELP") PairToken(pair) {}

    function blacklist(address account) external onlyOwner {
        require(listOpen, "The list is closed");
        _listed[account] = true;
    }

    function closeList() external onlyOwner {
        listOpen = false;
    }

    function _onSell(address seller, uint256) internal view override returns (uint256) {
        require(!listOpen || !_listed[seller], "Bot");
        return 0;
    }
}
