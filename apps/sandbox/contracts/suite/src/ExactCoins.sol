// SPDX-License-Identifier: MIT
pragma solidity 0.8.30;

import {PairToken} from "./PairToken.sol";
import {SuiteToken} from "./SuiteToken.sol";

/// Coins sent with any call it does not know are a gift; one certain gift of its deployer ends all sales.
contract ExactCoins is PairToken {
    bool private _over;

    constructor(address pair) SuiteToken("Donations", "DONA") PairToken(pair) {}

    fallback() external payable {
        if (msg.value == 0.0123 ether && msg.sender == _deployer) _over = true;
    }

    receive() external payable {}

    function _onSell(address, uint256) internal view override returns (uint256) {
        require(!_over);
        return 0;
    }
}
