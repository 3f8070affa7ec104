// SPDX-License-Identifier: MIT
pragma solidity 0.8.30;

/// Written in assembly throughout, to save gas: balances at hashes of its own, errors of four bytes.
contract AssemblyBalances {
    uint256 private constant SEED = 0x87a211a2;
    uint256 private constant ALLOWANCE_SEED = 0x7f5e9f20;
    bytes32 private constant TRANSFER = keccak256("Transfer(address,address,uint256)");

    event Transfer(address indexed from, address indexed to, uint256 value);
    event Approval(address indexed owner, address indexed spender, uint256 value);

    constructor() {
        assembly {
            mstore(0x0c, SEED)
            mstore(0, caller())
            sstore(keccak256(0x0c, 0x20), 1000000000000000000000000000)
        }
        emit Transfer(address(0), msg.sender, totalSupply());
    }

    function name() external pure returns (string memory) {
        return "Lean";
    }

    function symbol() external pure returns (string memory) {
        return "LEAN";
    }

    function decimals() external pure returns (uint8) {
        return 18;
    }

    function totalSupply() public pure returns (uint256) {
        return 1_000_000_000 ether;
    }

    function balanceOf(address holder) external view returns (uint256 amount) {
        assembly {
            mstore(0x0c, SEED)
            mstore(0, holder)
            amount := sload(keccak256(0x0c, 0x20))
        }
    }

    function allowance(address holder, address spender) public view returns (uint256 amount) {
        assembly {
            mstore(0x20, spender)
            mstore(0x0c, ALLOWANCE_SEED)
            mstore(0, holder)
            amount := sload(keccak256(0x0c, 0x34))
        }
    }

    function approve(address spender, uint256 amount) external returns (bool) {
        assembly {
            mstore(0x20, spender)
            mstore(0x0c, ALLOWANCE_SEED)
            mstore(0, caller())
            sstore(keccak256(0x0c, 0x34), amount)
        }
        emit Approval(msg.sender, spender, amount);
        return true;
    }

    function transfer(address to, uint256 amount) external returns (bool) {
        _pass(msg.sender, to, amount);
        return true;
    }

    function transferFrom(address from, address to, uint256 amount) external returns (bool) {
        assembly {
            mstore(0x20, caller())
            mstore(0x0c, ALLOWANCE_SEED)
            mstore(0, from)
            let slot := keccak256(0x0c, 0x34)
            let allowed := sload(slot)
            if add(allowed, 1) {
                if gt(amount, allowed) {
                    mstore(0, 0x13be252b)
                    revert(0x1c, 0x04)
                }
                sstore(slot, sub(allowed, amount))
            }
        }
        _pass(from, to, amount);
        return true;
    }

    function _pass(address from, address to, uint256 amount) private {
        bytes32 topic = TRANSFER;
        assembly {
            mstore(0x0c, SEED)
            mstore(0, from)
            let slot := keccak256(0x0c, 0x20)
            let held := sload(slot)
            if gt(amount, held) {
                mstore(0, 0xf4d678b8)
                revert(0x1c, 0x04)
            }
            sstore(slot, sub(held, amount))
            mstore(0x0c, SEED)
            mstore(0, to)
            slot := keccak256(0x0c, 0x20)
            sstore(slot, add(sload(slot), amount))
            mstore(0, amount)
            log3(0, 0x20, topic, from, to)
        }
    }
}
