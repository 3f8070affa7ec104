"""Which pool shares are locked, and until when: what to ask of known lockers, and what the answers mean. Pure.

A locker counts only while its code is the code that was verified on chain before: the same address can hold other code
after an upgrade, on a fork, or behind an endpoint that lies.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import evmole
from eth_utils.crypto import keccak

from apps.chains.evm import abi, parse
from apps.chains.evm.jsonrpc import Request
from apps.chains.evm.lock_lists import LOCK_LISTS, Answers, Place
from apps.domain.locks import LiquidityLock, LockerProfile

CODE_BYTES_MAX = 64 * 1024
#: Where proxies keep their implementation: EIP-1967, and what OpenZeppelin used before it.
_IMPLEMENTATION_SLOTS = (
    "0x360894a13ba1a3210667c828492db98dca3e2076cc3735a920a3ca505d382bbc",
    "0x7050c9e0f4ca769c69bd3a8ef740bc37934f8e2c036e5a723fd8ee048ed3f8c3",
)


@dataclass(frozen=True, slots=True, kw_only=True)
class LockedShares:
    """What known lockers hold of a pool's shares (raw units).

    ``locks`` are those that were read, of code that was verified. ``unverified_raw`` lies where the code is unknown or
    another one. ``why`` says in plain words what could not be read, "" when everything was.
    """

    locks: tuple[LiquidityLock, ...]
    unverified_raw: int
    why: str = ""

    def beyond(self, unix_s: int) -> int:
        """Return how many are still locked at this time."""
        return sum(lock.amount_raw for lock in self.locks if lock.unlock_at_s > unix_s)


# -- the code -------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True, kw_only=True)
class CodeProof:
    """What code an address runs: its hash, and a proxy's implementation, "" for none. ``code`` is what has the functions."""

    code_hash: str
    implementation: str
    implementation_hash: str
    code: bytes

    def is_that_of(self, locker: LockerProfile) -> bool:
        """Tell whether it is the code that was verified."""
        return locker.is_verified and (self.code_hash, self.implementation, self.implementation_hash) == (
            locker.code_hash,
            locker.implementation.lower(),
            locker.implementation_hash,
        )


def code_requests(address: str, block: str) -> dict[str, Request]:
    """Return what tells an address's code, by name."""
    requests: dict[str, Request] = {"code": ("eth_getCode", [address, block])}
    for number, slot in enumerate(_IMPLEMENTATION_SLOTS):
        requests[f"slot:{number}"] = ("eth_getStorageAt", [address, slot, block])
    return requests


def implementation_requests(answers: Answers, block: str) -> dict[str, Request]:
    """Return what tells a proxy's implementation's code; nothing for a contract that is none."""
    address = _implementation(answers)
    return {"implementation": ("eth_getCode", [address, block])} if address else {}


def code_proof(answers: Answers) -> CodeProof | None:
    """Return what the answers say of the code; None when it cannot be told, or there is none."""
    code, address = _code(answers.get("code")), _implementation(answers)
    behind = _code(answers.get("implementation")) if address else b""
    if not code or address is None or behind is None or (address and not behind):
        return None
    return CodeProof(
        code_hash=_hash(code),
        implementation=address,
        implementation_hash=_hash(behind) if behind else "",
        code=behind or code,
    )


def lacks_functions(kind: str, code: bytes) -> bool:
    """Tell whether code does not answer to what a locker of this kind must answer to."""
    found = evmole.contract_info(code, selectors=True).functions or []
    return not {item.hex() for item in LOCK_LISTS[kind].functions} <= {item.selector for item in found}


def _implementation(answers: Answers) -> str | None:
    """Return the implementation's address in lower case, "" for a contract that is no proxy, None when unreadable."""
    for number in range(len(_IMPLEMENTATION_SLOTS)):
        slot = parse.attempt(parse.hex_data, answers.get(f"slot:{number}"), "slot")
        if slot is None or len(slot) != abi.WORD_BYTES:
            return None
        if any(slot):
            return "0x" + slot[-20:].hex()
    return ""


def _code(answer: Any) -> bytes | None:
    return parse.attempt(parse.hex_data, answer, "code", bytes_max=CODE_BYTES_MAX)


def _hash(code: bytes) -> str:
    return "0x" + bytes(keccak(code)).hex()


# -- the locks ------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True, kw_only=True)
class LockQuestion:
    """Which lockers are asked about which pool, at which block (as the node wants it)."""

    lockers: tuple[LockerProfile, ...]
    pool: str
    creator: str
    block: str
    ranges: tuple[tuple[int, int], ...]

    def place(self, locker: LockerProfile) -> Place:
        """Return where one locker's list is read."""
        return Place(
            locker=locker.address,
            pool=self.pool,
            creator=self.creator,
            block=self.block,
            ranges=self.ranges,
        )


def first_requests(question: LockQuestion, held: Mapping[str, int]) -> dict[str, Request]:
    """Return code and list of every verified locker that holds shares; ``held`` is by address as configured."""
    requests: dict[str, Request] = {}
    for locker in _asked(question, held):
        place, lists = question.place(locker), LOCK_LISTS[locker.kind]
        parts = code_requests(locker.address, question.block) | lists.first(place)
        if locker.implementation:
            parts["implementation"] = ("eth_getCode", [locker.implementation, question.block])
        requests |= {_name(locker, part): request for part, request in parts.items()}
    return requests


def second_requests(question: LockQuestion, held: Mapping[str, int], answers: Answers) -> dict[str, Request]:
    """Return what only the first answers made askable; nothing where all lists were read at once."""
    requests: dict[str, Request] = {}
    for locker in _asked(question, held):
        own = _own(locker, answers)
        parts = LOCK_LISTS[locker.kind].second(question.place(locker), own)
        requests |= {_name(locker, part): request for part, request in parts.items()}
    return requests


def locked_shares(question: LockQuestion, held: Mapping[str, int], answers: Answers) -> LockedShares:
    """Return what is locked. A locker never counts for more than it holds; the locks that end first count first."""
    locks: list[LiquidityLock] = []
    unverified, reasons = 0, []
    asked = _asked(question, held)
    for locker in question.lockers:
        shares = held.get(locker.address, 0)
        if shares == 0:
            continue
        if locker not in asked:
            unverified += shares
            reasons.append(f"the code of {locker.name} was never verified")
            continue
        own = _own(locker, answers)
        proof = code_proof(own)
        if proof is None or not proof.is_that_of(locker):
            unverified += shares
            reasons.append(f"the code of {locker.name} is not the one that was verified")
            continue
        found = _bounded(LOCK_LISTS[locker.kind].locks(question.place(locker), own), shares)
        locks += found
        if sum(lock.amount_raw for lock in found) < shares:
            reasons.append(f"{locker.name} holds more than its locks account for")
    return LockedShares(locks=tuple(locks), unverified_raw=unverified, why="; ".join(reasons))


def _bounded(locks: Iterable[LiquidityLock], shares: int) -> list[LiquidityLock]:
    found: list[LiquidityLock] = []
    left = shares
    for lock in sorted(locks, key=lambda item: (item.unlock_at_s, item.owner, item.amount_raw)):
        amount = min(lock.amount_raw, left)
        if amount > 0:
            found.append(
                LiquidityLock(
                    locker=lock.locker, owner=lock.owner, amount_raw=amount, unlock_at_s=lock.unlock_at_s
                )
            )
            left -= amount
    return found


def _asked(question: LockQuestion, held: Mapping[str, int]) -> Sequence[LockerProfile]:
    return [
        locker
        for locker in question.lockers
        if held.get(locker.address, 0) and locker.is_verified and locker.kind in LOCK_LISTS
    ]


def _name(locker: LockerProfile, part: str) -> str:
    return f"locker:{locker.address}:{part}"


def _own(locker: LockerProfile, answers: Answers) -> dict[str, Any]:
    prefix = _name(locker, "")
    return {name[len(prefix) :]: answer for name, answer in answers.items() if name.startswith(prefix)}
