// SPDX-License-Identifier: MIT
pragma solidity 0.8.30;

import {PairToken} from "./PairToken.sol";
import {SuiteToken} from "./SuiteToken.sol";

/// Anybody may deliver an order that a certain key has signed; no account has a right of its own.
contract SignedOrders is PairToken {
    address private constant SIGNER = 0x8402105c932E684095d1d61a5B267c692eC71d91;
    uint256 private _orders;
    uint256 private _rate = 1;

    constructor(address pair) SuiteToken("Oracle Fee", "ORFE") PairToken(pair) {}

    function deliver(uint256 rate, uint8 v, bytes32 r, bytes32 s) external {
        require(ecrecover(keccak256(abi.encode(rate, _orders++)), v, r, s) == SIGNER, "signature");
        _rate = rate;
    }

    function _onSell(address, uint256 amount) internal view override returns (uint256) {
        return (amount * _rate) / 100;
    }
}
