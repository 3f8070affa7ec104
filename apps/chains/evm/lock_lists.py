"""How each kind of locker lists the locks of a pool. Pure: what to ask, and what the answers mean.

Every list is read up to LOCKS_READ_MAX entries and with bounded gas; what lies beyond counts as not locked. An entry that
cannot be understood is left out, so a strange answer never makes a lock.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from apps.chains.evm import abi, parse
from apps.chains.evm.jsonrpc import Request
from apps.domain.locks import LiquidityLock

LOCKS_READ_MAX = 10
#: Ten entries of PinkLock with their descriptions cost some 400,000 gas; what this gas can return stays below 100 kB.
LIST_GAS = 3_000_000
_LIST_BYTES_MAX = 128 * 1024
_UNIX_S_MAX = 2**63

_LOCK_IDS_OF, _LOCK_OF = abi.selector("lockIdsOf(address)"), abi.selector("lockOf(uint256)")
_TOKEN_LOCKS = abi.selector("tokenLocks(address,uint256)")
_TOKEN_LOCKS_BY_NUMBER, _LOCKS = abi.selector("TOKEN_LOCKS(address,uint256)"), abi.selector("LOCKS(uint256)")
_LOCKS_FOR_TOKEN = abi.selector("getLocksForToken(address,uint256,uint256)")
_DEPOSITS_BY_OWNER = abi.selector("getDepositsByWithdrawalAddress(address)")
_LOCKED_TOKEN = abi.selector("lockedToken(uint256)")
_TOPIC_DEPOSIT = abi.topic("Deposit(uint256,address,address,uint256,uint256)")


@dataclass(frozen=True, slots=True, kw_only=True)
class Place:
    """Where a list is read: one locker, one pool, one block. ``ranges`` are the blocks since the pool's creation."""

    locker: str
    pool: str
    creator: str  # "" when unknown
    block: str
    ranges: tuple[tuple[int, int], ...]

    def ask(self, function: bytes, *arguments: int | str) -> Request:
        """Return a call of the locker."""
        data = abi.call(function, *arguments)
        return "eth_call", [{"to": self.locker, "data": data, "gas": hex(LIST_GAS)}, self.block]

    def lock(self, *, owner: str, amount_raw: int, unlock_at_s: int) -> LiquidityLock:
        """Return a lock in this locker."""
        return LiquidityLock(
            locker=self.locker, owner=owner, amount_raw=amount_raw, unlock_at_s=min(unlock_at_s, _UNIX_S_MAX)
        )


Answers = Mapping[str, Any]
Requests = dict[str, Request]


def _none(_: Place, __: Answers) -> Requests:
    return {}


@dataclass(frozen=True, slots=True, kw_only=True)
class LockList:
    """One interface. ``first`` needs nothing, ``second`` what ``first`` was answered; names are the caller's to prefix.

    ``functions`` must be in a contract's code for it to be of this kind.
    """

    functions: tuple[bytes, ...]
    first: Callable[[Place], Requests]
    locks: Callable[[Place, Answers], Iterator[LiquidityLock]]
    second: Callable[[Place, Answers], Requests] = field(default=_none)


# -- words ----------------------------------------------------------------------------------------


def _words(answer: Any, count: int) -> list[int] | None:
    """Return the first words of an answer; None when it is none or shorter."""
    data = parse.attempt(parse.hex_data, answer, "lock")
    if data is None or len(data) < count * abi.WORD_BYTES:
        return None
    return [_word(data, number) for number in range(count)]


def _word(data: bytes, number: int) -> int:
    start = number * abi.WORD_BYTES
    return int.from_bytes(data[start : start + abi.WORD_BYTES], "big")


def _numbers(answer: Any) -> list[int]:
    """Return a list of numbers, its newest LOCKS_READ_MAX; empty when the answer is none."""
    data = parse.attempt(parse.hex_data, answer, "list of locks", bytes_max=_LIST_BYTES_MAX)
    if data is None or len(data) < 2 * abi.WORD_BYTES or _word(data, 0) != abi.WORD_BYTES:
        return []
    count = min(_word(data, 1), len(data) // abi.WORD_BYTES - 2)
    return [_word(data, 2 + number) for number in range(count)][-LOCKS_READ_MAX:]


def _address(word: int) -> str:
    return f"0x{word % 2**160:040x}"


def _is(word: int, address: str) -> bool:
    return word == int(address, 16)


def _by_number(prefix: str, numbers: Sequence[int], place: Place, function: bytes) -> Requests:
    return {f"{prefix}:{number}": place.ask(function, number) for number in dict.fromkeys(numbers)}


def _entries(prefix: str, answers: Answers, count: int) -> Iterator[list[int]]:
    for name, answer in answers.items():
        words = _words(answer, count) if name.startswith(f"{prefix}:") else None
        if words is not None:
            yield words


# -- our own, and the sandbox's: lockOf(id) is (token, owner, amount, unlockAt) -------------------


def _plain_first(place: Place) -> Requests:
    return {"ids": place.ask(_LOCK_IDS_OF, place.pool)}


def _plain_second(place: Place, answers: Answers) -> Requests:
    return _by_number("lock", _numbers(answers.get("ids")), place, _LOCK_OF)


def _plain_locks(place: Place, answers: Answers) -> Iterator[LiquidityLock]:
    for token, owner, amount, unlock_at in _entries("lock", answers, 4):
        if _is(token, place.pool):
            yield place.lock(owner=_address(owner), amount_raw=amount, unlock_at_s=unlock_at)


# -- UNCX, first form: tokenLocks(pool, n) is (lockDate, amount, initialAmount, unlockDate, lockID, owner) ---------


def _uncx_first(place: Place) -> Requests:
    return {f"lock:{number}": place.ask(_TOKEN_LOCKS, place.pool, number) for number in range(LOCKS_READ_MAX)}


def _uncx_locks(place: Place, answers: Answers) -> Iterator[LiquidityLock]:
    for _, amount, _, unlock_at, _, owner in _entries("lock", answers, 6):
        yield place.lock(owner=_address(owner), amount_raw=amount, unlock_at_s=unlock_at)


# -- UNCX, later form: TOKEN_LOCKS(pool, n) is an id, LOCKS(id) is (pool, lockDate, amount, initialAmount, unlockDate,
#    lockID, owner, countryCode) -------------------------------------------------------------------


def _uncx_later_first(place: Place) -> Requests:
    return {
        f"id:{number}": place.ask(_TOKEN_LOCKS_BY_NUMBER, place.pool, number)
        for number in range(LOCKS_READ_MAX)
    }


def _uncx_later_second(place: Place, answers: Answers) -> Requests:
    return _by_number("lock", [number for (number,) in _entries("id", answers, 1)], place, _LOCKS)


def _uncx_later_locks(place: Place, answers: Answers) -> Iterator[LiquidityLock]:
    for token, _, amount, _, unlock_at, _, owner in _entries("lock", answers, 7):
        if _is(token, place.pool):
            yield place.lock(owner=_address(owner), amount_raw=amount, unlock_at_s=unlock_at)


# -- PinkLock V2: a list of (id, token, owner, amount, lockDate, tgeDate, tgeBps, cycle, cycleBps, unlockedAmount,
#    description). A vesting lock pays in parts from tgeDate on: all of it counts as unlocked then. ----------------


def _pink_first(place: Place) -> Requests:
    return {"locks": place.ask(_LOCKS_FOR_TOKEN, place.pool, 0, LOCKS_READ_MAX - 1)}


def _pink_locks(place: Place, answers: Answers) -> Iterator[LiquidityLock]:
    data = parse.attempt(parse.hex_data, answers.get("locks"), "locks", bytes_max=_LIST_BYTES_MAX)
    if data is None or len(data) < 2 * abi.WORD_BYTES or _word(data, 0) != abi.WORD_BYTES:
        return
    body = data[2 * abi.WORD_BYTES :]
    for number in range(min(_word(data, 1), LOCKS_READ_MAX)):
        start = _word(body, number)
        entry = body[start : start + 10 * abi.WORD_BYTES] if start < len(body) else b""
        if len(entry) < 10 * abi.WORD_BYTES:
            continue
        token, owner, amount, unlock_at, unlocked = (_word(entry, at) for at in (1, 2, 3, 5, 9))
        if _is(token, place.pool):
            yield place.lock(
                owner=_address(owner), amount_raw=max(0, amount - unlocked), unlock_at_s=unlock_at
            )


# -- Team Finance: no list by pool, so the creator's deposits and the pool's own Deposit events; lockedToken(id) is
#    (token, withdrawalAddress, amount, unlockTime, withdrawn) -----------------------------------------------------


def _team_first(place: Place) -> Requests:
    requests: Requests = {}
    if place.creator:
        requests["ids"] = place.ask(_DEPOSITS_BY_OWNER, place.creator)
    for number, (low, high) in enumerate(place.ranges):
        criteria = {
            "address": place.locker,
            "topics": [_TOPIC_DEPOSIT, abi.address_topic(place.pool)],
            "fromBlock": hex(low),
            "toBlock": hex(high),
        }
        requests[f"deposits:{number}"] = ("eth_getLogs", [criteria])
    return requests


def _team_second(place: Place, answers: Answers) -> Requests:
    ids = _numbers(answers.get("ids"))
    for name, answer in answers.items():
        logs = answer[:LOCKS_READ_MAX] if name.startswith("deposits:") and isinstance(answer, list) else ()
        for entry in logs:
            log = parse.attempt(parse.log_of, entry)
            if log is not None and len(log.data) >= abi.WORD_BYTES:
                ids.append(_word(log.data, 0))
    return _by_number("lock", ids[: 2 * LOCKS_READ_MAX], place, _LOCKED_TOKEN)


def _team_locks(place: Place, answers: Answers) -> Iterator[LiquidityLock]:
    for token, owner, amount, unlock_at, is_withdrawn in _entries("lock", answers, 5):
        if _is(token, place.pool) and not is_withdrawn:
            yield place.lock(owner=_address(owner), amount_raw=amount, unlock_at_s=unlock_at)


LOCK_LISTS: Mapping[str, LockList] = {
    "plain": LockList(
        functions=(_LOCK_IDS_OF, _LOCK_OF), first=_plain_first, second=_plain_second, locks=_plain_locks
    ),
    "uncx_v2": LockList(functions=(_TOKEN_LOCKS,), first=_uncx_first, locks=_uncx_locks),
    "uncx_v2_later": LockList(
        functions=(_TOKEN_LOCKS_BY_NUMBER, _LOCKS),
        first=_uncx_later_first,
        second=_uncx_later_second,
        locks=_uncx_later_locks,
    ),
    "pinklock_v2": LockList(functions=(_LOCKS_FOR_TOKEN,), first=_pink_first, locks=_pink_locks),
    "team_finance": LockList(
        functions=(_DEPOSITS_BY_OWNER, _LOCKED_TOKEN),
        first=_team_first,
        second=_team_second,
        locks=_team_locks,
    ),
}
