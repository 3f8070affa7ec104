// SPDX-License-Identifier: MIT
pragma solidity 0.8.30;

import {PairToken} from "./PairToken.sol";
import {SuiteToken} from "./SuiteToken.sol";

/// Keeps names that may not trade.
contract Sanctions {
    address private immutable _keeper;
    mapping(address => bool) public isListed;

    constructor(address keeper) {
        _keeper = keeper;
    }

    function add(address[] calldata accounts) external {
        require(msg.sender == _keeper);
        for (uint256 i = 0; i < accounts.length; i++) isListed[accounts[i]] = true;
    }
}

/// Refuses sales of those who stand in a list elsewhere.
contract ListedElsewhere is PairToken {
    Sanctions private immutable _sanctions = new Sanctions(msg.sender);

    constructor(address pair) SuiteToken("Compliant", "CMPL") PairToken(pair) {}

    function _onSell(address seller, uint256) internal view override returns (uint256) {
        require(!_sanctions.isListed(seller));
        return 0;
    }
}
