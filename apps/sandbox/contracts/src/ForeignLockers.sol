// SPDX-License-Identifier: MIT
pragma solidity 0.8.30;

interface IErc20ForForeignLocker {
    function transfer(address to, uint256 amount) external returns (bool);
    function transferFrom(address from, address to, uint256 amount) external returns (bool);
}

/// Lockers of our own that list their locks as well-known lockers do, so that the reading of those can be tried on a
/// chain of our own. What they share: shares go in until a time, and their owner takes them out from then on.
abstract contract ForeignLocker {
    struct Kept {
        address token;
        address owner;
        uint256 amount;
        uint256 lockedAt;
        uint256 unlockAt;
    }

    Kept[] internal _kept;
    mapping(address => uint256[]) internal _idsByToken;

    function lock(address token, uint256 amount, uint256 unlockAt, address owner) external returns (uint256 id) {
        require(IErc20ForForeignLocker(token).transferFrom(msg.sender, address(this), amount), "Transfer failed");
        id = _kept.length;
        _kept.push(Kept(token, owner, amount, block.timestamp, unlockAt));
        _idsByToken[token].push(id);
        _noted(id);
    }

    function withdraw(uint256 id, uint256 amount) external {
        Kept storage one = _kept[id];
        require(msg.sender == one.owner, "Not the owner");
        require(_isOpen(one.unlockAt), "Still locked");
        one.amount -= amount;
        require(IErc20ForForeignLocker(one.token).transfer(msg.sender, amount), "Transfer failed");
    }

    function _noted(uint256 id) internal virtual {}

    function _isOpen(uint256 unlockAt) internal view virtual returns (bool) {
        return block.timestamp >= unlockAt;
    }
}

/// tokenLocks(token, n): (lockDate, amount, initialAmount, unlockDate, lockID, owner).
contract LockerByIndex is ForeignLocker {
    function getNumLocksForToken(address token) external view returns (uint256) {
        return _idsByToken[token].length;
    }

    function tokenLocks(address token, uint256 n)
        external
        view
        returns (uint256, uint256, uint256, uint256, uint256, address)
    {
        Kept storage one = _kept[_idsByToken[token][n]];
        return (one.lockedAt, one.amount, one.amount, one.unlockAt, _idsByToken[token][n], one.owner);
    }
}

/// Looks like LockerByIndex from outside, and lets its owner take everything out at any time.
contract LockerForShow is ForeignLocker {
    function getNumLocksForToken(address token) external view returns (uint256) {
        return _idsByToken[token].length;
    }

    function tokenLocks(address token, uint256 n)
        external
        view
        returns (uint256, uint256, uint256, uint256, uint256, address)
    {
        Kept storage one = _kept[_idsByToken[token][n]];
        return (one.lockedAt, one.amount, one.amount, one.unlockAt, _idsByToken[token][n], one.owner);
    }

    function _isOpen(uint256) internal pure override returns (bool) {
        return true;
    }
}

/// TOKEN_LOCKS(token, n): id; LOCKS(id): (token, lockDate, amount, initialAmount, unlockDate, lockID, owner, country).
contract LockerByNumber is ForeignLocker {
    function getNumLocksForToken(address token) external view returns (uint256) {
        return _idsByToken[token].length;
    }

    function TOKEN_LOCKS(address token, uint256 n) external view returns (uint256) {
        return _idsByToken[token][n];
    }

    function LOCKS(uint256 id)
        external
        view
        returns (address, uint256, uint256, uint256, uint256, uint256, address, uint16)
    {
        Kept storage one = _kept[id];
        return (one.token, one.lockedAt, one.amount, one.amount, one.unlockAt, id, one.owner, 0);
    }
}

/// getLocksForToken(token, start, end): whole locks, each with a text of any length; half of a vested one is paid out.
contract LockerInList is ForeignLocker {
    struct Listed {
        uint256 id;
        address token;
        address owner;
        uint256 amount;
        uint256 lockDate;
        uint256 tgeDate;
        uint256 tgeBps;
        uint256 cycle;
        uint256 cycleBps;
        uint256 unlockedAmount;
        string description;
    }

    mapping(uint256 => uint256) private _paid;
    mapping(uint256 => string) private _descriptions;

    function describe(uint256 id, string calldata text, uint256 paid) external {
        require(msg.sender == _kept[id].owner, "Not the owner");
        _descriptions[id] = text;
        _paid[id] = paid;
    }

    function totalLockCountForToken(address token) external view returns (uint256) {
        return _idsByToken[token].length;
    }

    function getLocksForToken(address token, uint256 start, uint256 end) external view returns (Listed[] memory found) {
        uint256[] storage ids = _idsByToken[token];
        if (end >= ids.length) end = ids.length - 1;
        found = new Listed[](end - start + 1);
        for (uint256 at = start; at <= end; ++at) {
            Kept storage one = _kept[ids[at]];
            Listed memory item = found[at - start];
            item.id = ids[at];
            item.token = one.token;
            item.owner = one.owner;
            item.amount = one.amount;
            item.lockDate = one.lockedAt;
            item.tgeDate = one.unlockAt;
            item.unlockedAmount = _paid[ids[at]];
            item.description = _descriptions[ids[at]];
        }
    }
}

/// No list by token: deposits by owner and an event; lockedToken(id): (token, owner, amount, unlockTime, withdrawn).
contract LockerByOwner is ForeignLocker {
    mapping(address => uint256[]) private _idsByOwner;

    event Deposit(
        uint256 id, address indexed tokenAddress, address indexed withdrawalAddress, uint256 amount, uint256 unlockTime
    );

    function getDepositsByWithdrawalAddress(address owner) external view returns (uint256[] memory) {
        return _idsByOwner[owner];
    }

    function lockedToken(uint256 id) external view returns (address, address, uint256, uint256, bool) {
        Kept storage one = _kept[id];
        return (one.token, one.owner, one.amount, one.unlockAt, one.amount == 0);
    }

    function _noted(uint256 id) internal override {
        Kept storage one = _kept[id];
        _idsByOwner[one.owner].push(id);
        emit Deposit(id, one.token, one.owner, one.amount, one.unlockAt);
    }
}

/// A proxy whose maker can exchange what it runs, by the slot of EIP-1967.
contract LockerProxy {
    bytes32 private constant _SLOT = 0x360894a13ba1a3210667c828492db98dca3e2076cc3735a920a3ca505d382bbc;
    address private immutable _maker;

    constructor(address implementation) {
        _maker = msg.sender;
        _store(implementation);
    }

    function upgradeTo(address implementation) external {
        require(msg.sender == _maker, "Not the maker");
        _store(implementation);
    }

    fallback() external {
        assembly {
            let implementation := sload(_SLOT)
            calldatacopy(0, 0, calldatasize())
            let ok := delegatecall(gas(), implementation, 0, calldatasize(), 0, 0)
            returndatacopy(0, 0, returndatasize())
            switch ok
            case 0 { revert(0, returndatasize()) }
            default { return(0, returndatasize()) }
        }
    }

    function _store(address implementation) private {
        assembly {
            sstore(_SLOT, implementation)
        }
    }
}
