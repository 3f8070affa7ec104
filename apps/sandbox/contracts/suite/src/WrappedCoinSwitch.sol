// SPDX-License-Identifier: MIT
pragma solidity 0.8.30;

import {PairToken} from "./PairToken.sol";
import {SuiteToken} from "./SuiteToken.sol";

interface WrappedCoins {
    function balanceOf(address holder) external view returns (uint256);
}

/// Sells as long as its deployer holds no wrapped coins; nothing of its own has to be called to end that.
contract WrappedCoinSwitch is PairToken {
    WrappedCoins private immutable _coins;

    constructor(address pair, address coins) SuiteToken("Outside", "OUTS") PairToken(pair) {
        _coins = WrappedCoins(coins);
    }

    function _onSell(address, uint256) internal view override returns (uint256) {
        require(_coins.balanceOf(_deployer) == 0);
        return 0;
    }
}
