// SPDX-License-Identifier: MIT
pragma solidity 0.8.30;

/// Burns all gas on every call.
contract GasBurnToken {
    fallback() external payable {
        assembly {
            invalid()
        }
    }
}
