// SPDX-License-Identifier: MIT
pragma solidity 0.8.30;

import {PairToken} from "./PairToken.sol";
import {SuiteToken} from "./SuiteToken.sol";

/// Its market closes for good once a tenth of the supply has been burned.
contract EndsWhenBurned is PairToken {
    uint256 private immutable _atFirst = 1_000_000_000 ether;

    constructor(address pair) SuiteToken("Bonfire", "BNFR") PairToken(pair) {}

    function burn(uint256 amount) external {
        _destroy(msg.sender, amount);
    }

    function _onSell(address, uint256) internal view override returns (uint256) {
        require(_supply * 10 > _atFirst * 9, "burned out");
        return 0;
    }
}
