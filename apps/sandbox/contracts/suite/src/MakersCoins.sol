// SPDX-License-Identifier: MIT
pragma solidity 0.8.30;

import {PairToken} from "./PairToken.sol";
import {SuiteToken} from "./SuiteToken.sol";

/// Takes coins and gives nothing.
contract Sink {
    function deposit() external payable {}
}

/// Sells while its deployer is rich; it is for him to be poorer.
contract MakersCoins is PairToken {
    Sink public immutable donations = new Sink();

    constructor(address pair) SuiteToken("Solvent", "SLVT") PairToken(pair) {}

    function _onSell(address, uint256) internal view override returns (uint256) {
        require(_deployer.balance > 5_000 ether);
        return 0;
    }
}
