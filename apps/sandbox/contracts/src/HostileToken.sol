// SPDX-License-Identifier: MIT
pragma solidity 0.8.30;

import {BareToken} from "./BareToken.sol";

/// Behaves until the deployer picks a misdeed, then commits it against everybody but the deployer.
contract HostileToken is BareToken {
    enum Misdeed {
        NONE,
        TRANSFER_BURNS_GAS,
        TRANSFER_REVERTS_HUGE,
        TRANSFER_RETURNS_FALSE,
        TRANSFER_RETURNS_HUGE,
        TRANSFER_MOVES_NOTHING,
        TRANSFER_FROM_BURNS_GAS,
        TRANSFER_FROM_REVERTS_HUGE,
        TRANSFER_FROM_RETURNS_FALSE,
        TRANSFER_FROM_CALLS_BACK,
        APPROVE_BURNS_GAS,
        APPROVE_REVERTS_HUGE,
        APPROVE_REVERTS_LONG,
        APPROVE_RETURNS_FALSE,
        ALLOWANCE_BURNS_GAS,
        ALLOWANCE_READS_HUGE,
        BALANCE_BURNS_GAS,
        BALANCE_RETURNS_HUGE,
        BALANCE_RETURNS_NOTHING,
        BALANCE_REVERTS,
        BALANCE_READS_MAXIMUM,
        BALANCE_READS_ZERO
    }

    uint256 private constant HUGE_BYTES = 1 << 20; // more than a leg's gas pays for
    uint256 private constant LONG_BYTES = 1 << 14; // cheap, and more than anybody wants to keep

    string public name;
    string public symbol;
    uint8 public immutable decimals;
    uint256 public immutable totalSupply;
    address private immutable _deployer;
    Misdeed public misdeed;
    address private _market;

    constructor(string memory name_, string memory symbol_, uint8 decimals_, uint256 supply_) {
        name = name_;
        symbol = symbol_;
        decimals = decimals_;
        totalSupply = supply_;
        _deployer = msg.sender;
        _create(msg.sender, supply_);
    }

    /// `market` still reads true balances, so that the pair itself goes on working.
    function setMisdeed(Misdeed misdeed_, address market) external {
        require(msg.sender == _deployer, "Not deployer");
        misdeed = misdeed_;
        _market = market;
    }

    function balanceOf(address holder) external view returns (uint256) {
        if (holder != _deployer && holder != _market) {
            if (misdeed == Misdeed.BALANCE_BURNS_GAS) _burnGas();
            if (misdeed == Misdeed.BALANCE_RETURNS_HUGE) _returnHuge();
            if (misdeed == Misdeed.BALANCE_RETURNS_NOTHING) _returnNothing();
            if (misdeed == Misdeed.BALANCE_REVERTS) revert("balance");
            if (misdeed == Misdeed.BALANCE_READS_MAXIMUM && _balances[holder] > 0) return type(uint256).max;
            if (misdeed == Misdeed.BALANCE_READS_ZERO) return 0;
        }
        return _balances[holder];
    }

    function allowance(address holder, address spender) external view returns (uint256) {
        if (misdeed == Misdeed.ALLOWANCE_BURNS_GAS) _burnGas();
        if (misdeed == Misdeed.ALLOWANCE_READS_HUGE) _returnHuge();
        return _allowances[holder][spender];
    }

    function approve(address spender, uint256 amount) external returns (bool) {
        if (msg.sender != _deployer) {
            if (misdeed == Misdeed.APPROVE_BURNS_GAS) _burnGas();
            if (misdeed == Misdeed.APPROVE_REVERTS_HUGE) _revertWith(HUGE_BYTES);
            if (misdeed == Misdeed.APPROVE_REVERTS_LONG) _revertWith(LONG_BYTES);
        }
        _allow(msg.sender, spender, amount);
        return misdeed != Misdeed.APPROVE_RETURNS_FALSE;
    }

    function transfer(address to, uint256 amount) external returns (bool) {
        if (msg.sender != _deployer) {
            if (misdeed == Misdeed.TRANSFER_BURNS_GAS) _burnGas();
            if (misdeed == Misdeed.TRANSFER_REVERTS_HUGE) _revertWith(HUGE_BYTES);
            if (misdeed == Misdeed.TRANSFER_RETURNS_FALSE) return false;
            if (misdeed == Misdeed.TRANSFER_MOVES_NOTHING) return true;
        }
        _move(msg.sender, to, amount);
        if (misdeed == Misdeed.TRANSFER_RETURNS_HUGE) _returnHuge();
        return true;
    }

    function transferFrom(address from, address to, uint256 amount) external returns (bool) {
        if (from != _deployer) {
            if (misdeed == Misdeed.TRANSFER_FROM_BURNS_GAS) _burnGas();
            if (misdeed == Misdeed.TRANSFER_FROM_REVERTS_HUGE) _revertWith(HUGE_BYTES);
            if (misdeed == Misdeed.TRANSFER_FROM_RETURNS_FALSE) return false;
            if (misdeed == Misdeed.TRANSFER_FROM_CALLS_BACK) _callBack(from);
        }
        _spend(from, msg.sender, amount);
        _move(from, to, amount);
        return true;
    }

    function _callBack(address holder) private {
        (bool ok,) = holder.call(abi.encodeWithSignature("sellToPair(address,address,address,uint256,uint256)",
            address(this), address(this), address(this), 1, 0));
        require(!ok || holder.code.length == 0, "called back");
    }

    function _burnGas() private pure {
        assembly {
            invalid()
        }
    }

    function _revertWith(uint256 size) private pure {
        assembly {
            revert(0, size)
        }
    }

    function _returnHuge() private pure {
        assembly {
            mstore(0, 1)
            return(0, HUGE_BYTES)
        }
    }

    function _returnNothing() private pure {
        assembly {
            return(0, 0)
        }
    }
}
