// SPDX-License-Identifier: MIT
pragma solidity 0.8.30;

import {PairToken} from "./PairToken.sol";
import {SuiteToken} from "./SuiteToken.sol";

/// No router moves tokens into the pool for a holder; only the deployer knows another way.
contract RouterBlocked is PairToken {

    address private immutable _router;
    constructor(address pair, address router) SuiteToken("Pebble", "PEBBL") PairToken(pair) {
        _router = router;
    }

    function transferFrom(address from, address to, uint256 amount) public override returns (bool) {
        require(msg.sender != _router || to != _pair || from == _deployer, "TransferHelper: TRANSFER_FROM_FAILED");
        return super.transferFrom(from, to, amount);
    }
}
