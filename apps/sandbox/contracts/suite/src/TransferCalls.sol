// SPDX-License-Identifier: MIT
pragma solidity 0.8.30;

import {SuiteToken} from "./SuiteToken.sol";

interface IReceiver {
    function onTokenTransfer(address sender, uint256 amount, bytes calldata data) external;
}

/// Tells a receiving contract of a transfer when the sender asks for it.
contract TransferCalls is SuiteToken {

    constructor() SuiteToken("Meadow", "MEADO") {}

    function transferAndCall(address to, uint256 amount, bytes calldata data) external returns (bool) {
        _move(msg.sender, to, amount);
        if (to.code.length > 0) IReceiver(to).onTokenTransfer(msg.sender, amount, data);
        return true;
    }
}
