// SPDX-License-Identifier: MIT
pragma solidity 0.8.30;

import {SuiteToken} from "./SuiteToken.sol";

interface IBorrower {
    function onFlashLoan(address initiator, address token, uint256 amount, uint256 fee, bytes calldata data)
        external
        returns (bytes32);
}

/// Lends new tokens that are burned in the same transaction.
contract FlashMints is SuiteToken {

    bytes32 private constant RETURN_VALUE = keccak256("ERC3156FlashBorrower.onFlashLoan");
    constructor() SuiteToken("Lagoon", "LAGOO") {}

    function maxFlashLoan(address token) external view returns (uint256) {
        return token == address(this) ? type(uint128).max - totalSupply() : 0;
    }

    function flashLoan(address receiver, address token, uint256 amount, bytes calldata data) external returns (bool) {
        require(token == address(this) && amount <= type(uint128).max, "Unsupported");
        _create(receiver, amount);
        bytes32 answer = IBorrower(receiver).onFlashLoan(msg.sender, token, amount, 0, data);
        require(answer == RETURN_VALUE, "Not returned");
        _destroy(receiver, amount);
        return true;
    }
}
