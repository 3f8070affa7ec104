// SPDX-License-Identifier: MIT
pragma solidity 0.8.30;

/// Reverts on every call.
contract RevertingToken {
    fallback() external payable {
        revert();
    }
}
