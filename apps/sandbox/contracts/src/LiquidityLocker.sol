// SPDX-License-Identifier: MIT
pragma solidity 0.8.30;

interface IErc20ForLocker {
    function balanceOf(address holder) external view returns (uint256);
    function transfer(address to, uint256 amount) external returns (bool);
    function transferFrom(address from, address to, uint256 amount) external returns (bool);
}

/// Holds liquidity shares until a time that can be put off but never brought forward.
contract LiquidityLocker {
    struct Lock {
        address token;
        address owner;
        uint256 amount;
        uint64 unlockAt;
    }

    Lock[] private _locks;
    mapping(address => uint256[]) private _lockIds;

    event Locked(uint256 indexed id, address indexed token, address indexed owner, uint256 amount, uint64 unlockAt);
    event Extended(uint256 indexed id, uint64 unlockAt);
    event Withdrawn(uint256 indexed id, uint256 amount);

    /// Lock `amount` of `token`, taken from the caller, until `unlockAt` (seconds); return the lock's id.
    function lock(address token, uint256 amount, uint64 unlockAt, address owner) external returns (uint256 id) {
        require(amount > 0, "Nothing to lock");
        require(unlockAt > block.timestamp, "Unlock time has passed");
        require(owner != address(0), "No owner");
        uint256 before = IErc20ForLocker(token).balanceOf(address(this));
        require(IErc20ForLocker(token).transferFrom(msg.sender, address(this), amount), "Transfer failed");
        uint256 arrived = IErc20ForLocker(token).balanceOf(address(this)) - before;
        id = _locks.length;
        _locks.push(Lock({token: token, owner: owner, amount: arrived, unlockAt: unlockAt}));
        _lockIds[token].push(id);
        emit Locked(id, token, owner, arrived, unlockAt);
    }

    function extend(uint256 id, uint64 unlockAt) external {
        Lock storage held = _locks[id];
        require(msg.sender == held.owner, "Not the lock's owner");
        require(unlockAt > held.unlockAt, "Not later");
        held.unlockAt = unlockAt;
        emit Extended(id, unlockAt);
    }

    function withdraw(uint256 id) external {
        Lock storage held = _locks[id];
        uint256 amount = held.amount;
        require(msg.sender == held.owner, "Not the lock's owner");
        require(block.timestamp >= held.unlockAt, "Still locked");
        require(amount > 0, "Already withdrawn");
        held.amount = 0;
        emit Withdrawn(id, amount);
        require(IErc20ForLocker(held.token).transfer(msg.sender, amount), "Transfer failed");
    }

    function lockCount() external view returns (uint256) {
        return _locks.length;
    }

    function lockIdsOf(address token) external view returns (uint256[] memory) {
        return _lockIds[token];
    }

    function lockOf(uint256 id) external view returns (Lock memory) {
        return _locks[id];
    }

    /// Return how much of `token` is still locked at `at` (seconds), over all locks.
    function lockedAt(address token, uint64 at) external view returns (uint256 amount) {
        uint256[] storage ids = _lockIds[token];
        for (uint256 i = 0; i < ids.length; ++i) {
            Lock storage held = _locks[ids[i]];
            if (held.unlockAt > at) amount += held.amount;
        }
    }
}
