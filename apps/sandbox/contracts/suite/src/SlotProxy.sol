// SPDX-License-Identifier: MIT
pragma solidity 0.8.30;

/// Passes every call on to the code named in the slot of EIP-1967.
abstract contract SlotProxy {
    bytes32 internal constant IMPLEMENTATION = 0x360894a13ba1a3210667c828492db98dca3e2076cc3735a920a3ca505d382bbc;
    bytes32 internal constant ADMIN = 0xb53127684a568b3173ae13b9f8a6016e243e63b6e8ee1178d6a717850b5d6103;

    event Upgraded(address indexed implementation);

    function _set(bytes32 slot, address value) internal {
        assembly {
            sstore(slot, value)
        }
    }

    function _get(bytes32 slot) internal view returns (address value) {
        assembly {
            value := sload(slot)
        }
    }

    function _begin(address code, bytes memory data) internal {
        _set(IMPLEMENTATION, code);
        emit Upgraded(code);
        (bool ok,) = code.delegatecall(data);
        require(ok, "Initialization failed");
    }

    function _pass(address code) internal {
        assembly {
            calldatacopy(0, 0, calldatasize())
            let ok := delegatecall(gas(), code, 0, calldatasize(), 0, 0)
            returndatacopy(0, 0, returndatasize())
            if iszero(ok) { revert(0, returndatasize()) }
            return(0, returndatasize())
        }
    }
}
