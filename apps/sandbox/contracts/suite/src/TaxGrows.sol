// SPDX-License-Identifier: MIT
pragma solidity 0.8.30;

import {PairToken} from "./PairToken.sol";
import {SuiteToken} from "./SuiteToken.sol";

/// The fee on selling grows with every block since deployment, up to nearly all.
contract TaxGrows is PairToken {

    uint256 private immutable _born;
    constructor(address pair) SuiteToken("Iris", "IRIS") PairToken(pair) {
        _born = block.number;
    }

    function _onSell(address, uint256 amount) internal view override returns (uint256) {
        uint256 rate = (block.number - _born) / 3;
        return amount * (rate > 97 ? 97 : rate) / 100;
    }
}
