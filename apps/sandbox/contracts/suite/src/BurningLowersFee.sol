// SPDX-License-Identifier: MIT
pragma solidity 0.8.30;

import {PairToken} from "./PairToken.sol";
import {SuiteToken} from "./SuiteToken.sol";

/// Takes three percent of sales, and one once a tenth of the supply has been burned.
contract BurningLowersFee is PairToken {
    uint256 private immutable _atFirst = 1_000_000_000 ether;

    constructor(address pair) SuiteToken("Ember", "EMBR") PairToken(pair) {}

    function burn(uint256 amount) external {
        _destroy(msg.sender, amount);
    }

    function _onSell(address, uint256 amount) internal view override returns (uint256) {
        return (amount * (_supply * 10 > _atFirst * 9 ? 3 : 1)) / 100;
    }
}
