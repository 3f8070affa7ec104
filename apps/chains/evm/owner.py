"""Who may command a token: its owner, its proxy's admin, its creator, and every address that its events, its storage or
its code name. Requests and results only.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from apps.chains.evm import abi, parse
from apps.chains.evm.bytecode import CodeView, is_address_like, is_contract
from apps.chains.evm.client import Request, RpcFault
from apps.chains.evm.facts import CODE_BYTES_MAX, log_chunks, view
from apps.domain.errors import BadDataError
from apps.domain.market import Listing, PairFacts
from apps.domain.probes import Commander, Role

#: Whose powers are tried; further candidates are named as not tried.
COMMANDERS_MAX = 6
#: Candidates that are asked whether they are contracts.
CANDIDATES_MAX = 24
#: And whether they make anybody wait.
DELAYS_ASKED_MAX = 8
#: The first storage slots that are read, where plain variables lie.
SLOTS_READ = 64
HISTORY_LOGS_MAX = 200
#: A token is often deployed some blocks before its pool.
HISTORY_BLOCKS_BEFORE = 1_000

#: Storage slots with a meaning: keccak-256 of the name minus one (EIP-1967), or as the standard writes it.
SLOT_IMPLEMENTATION = "0x360894a13ba1a3210667c828492db98dca3e2076cc3735a920a3ca505d382bbc"
SLOT_ADMIN = "0xb53127684a568b3173ae13b9f8a6016e243e63b6e8ee1178d6a717850b5d6103"
SLOT_BEACON = "0xa3f0ad74e5423aebfd80d3ef4346578335a9a72aeaee59ff6cb3582b35133d50"
SLOT_IMPLEMENTATION_ZOS = "0x7050c9e0f4ca769c69bd3a8ef740bc37934f8e2c036e5a723fd8ee048ed3f8c3"
SLOT_IMPLEMENTATION_1822 = "0xc5f16f0fcc639fa48a6947836d9850f504798523bf8c9a3a87d5876cf622bcf7"
SLOT_OWNER_7201 = "0x9016d09d72d40fdae2fd8ceac6b6234c7706214fd39c1cd1e609a0528c199300"
NAMED_SLOTS = (
    SLOT_IMPLEMENTATION,
    SLOT_IMPLEMENTATION_ZOS,
    SLOT_IMPLEMENTATION_1822,
    SLOT_ADMIN,
    SLOT_BEACON,
    SLOT_OWNER_7201,
)
#: Run in the token's place it returns the slots that its calldata lists: for each word of calldata, SLOAD of it.
SLOT_READER_CODE = "0x60005b8036111560155780355481526020016002565b366000f3"
SLOT_READER_GAS = 3_000_000

_TOPIC_ROLE_GRANTED = abi.topic("RoleGranted(bytes32,address,address)")
_TOPIC_OWNERSHIP = abi.topic("OwnershipTransferred(address,address)")
_GET_MIN_DELAY = abi.selector("getMinDelay()")
_DELAY = abi.selector("delay()")
_DELAY_MAX_S = 10 * 365 * 86_400


@dataclass(frozen=True, slots=True, kw_only=True)
class Candidate:
    """An address that may command the token, lower case."""

    address: str
    role: Role


@dataclass(frozen=True, slots=True, kw_only=True)
class Storage:
    """Storage words of the token by slot ("0x…"); a slot that was not read is absent."""

    words: Mapping[str, int]

    def address(self, slot: str) -> str:
        """Return the address in a slot in lower case, "" when there is none or it was not read."""
        value = self.words.get(slot, 0)
        return f"0x{value:040x}" if 0 < value < 2**160 else ""

    def addresses(self) -> tuple[str, ...]:
        """Return every address that lies in plain slots, alone or packed behind up to two single bytes."""
        found: dict[str, None] = {}
        for slot, value in self.words.items():
            if value == 0 or slot in NAMED_SLOTS[:-1]:
                continue
            for shift in (0, 8, 16):
                inner = (value >> shift) % 2**160
                rest = value >> (shift + 160)
                # What stands around a packed address are small values; a text or a hash fills the word. Which bytes
                # are the address can be ambiguous, so there may be two.
                is_whole = shift == 0 or inner >= 2**152
                if is_address_like(inner) and is_whole and rest < 2**32:
                    found[f"0x{inner:040x}"] = None
        return tuple(found)


# -- first questions ------------------------------------------------------------------------------


def slot_names(count: int) -> tuple[str, ...]:
    """Return the first ``count`` storage slots and those with a meaning."""
    return (*(f"0x{slot:064x}" for slot in range(count)), *NAMED_SLOTS)


def storage_request(token: str, slots: Sequence[str], block: str) -> Request:
    """Return the eth_call that reads many slots at once, by reading code in the token's place."""
    data = "0x" + "".join(slot[2:] for slot in slots)
    call = {"to": token, "data": data, "gas": hex(SLOT_READER_GAS)}
    return "eth_call", [call, block, {token: {"code": SLOT_READER_CODE}}]


def storage_of(answer: Any, slots: Sequence[str]) -> dict[str, int] | str:
    """Return the words by slot, or why they are unknown."""
    if isinstance(answer, RpcFault):
        return f"the node did not read the storage: {answer.message}"
    try:
        data = parse.hex_data(answer, "storage")
        if len(data) != len(slots) * abi.WORD_BYTES:
            raise parse.bad_data("the storage has another size than asked for", answer)
    except BadDataError as error:
        return str(error)
    return {slot: parse.word(data, number, "slot") for number, slot in enumerate(slots)}


def history_requests(listing: Listing, *, last: int) -> dict[str, Request]:
    """Return the questions for the token's ownership and role events."""
    first = max(0, listing.created_block.number - HISTORY_BLOCKS_BEFORE)
    topics = [[_TOPIC_ROLE_GRANTED, _TOPIC_OWNERSHIP]]
    return {
        f"history:{number}": (
            "eth_getLogs",
            [
                {
                    "address": listing.base.address,
                    "topics": topics,
                    "fromBlock": hex(low),
                    "toBlock": hex(high),
                }
            ],
        )
        for number, (low, high) in enumerate(log_chunks(first=first, last=last))
    }


# -- candidates -----------------------------------------------------------------------------------


def candidates_of(
    listing: Listing,
    facts: PairFacts,
    *,
    history: Sequence[Any],
    storage: Storage,
    codes: Sequence[CodeView],
    strangers: frozenset[str],
) -> tuple[Candidate, ...]:
    """Return who may command the token, likeliest first, each once; ``strangers`` are known not to."""
    named: list[tuple[str, Role]] = [
        (facts.owner or "", "owner"),
        (storage.address(SLOT_ADMIN), "admin"),
        (listing.creator, "creator"),
        *_historical(history),
        *((address, "stored") for address in storage.addresses()),
        *((address, "constant") for code in codes for address in code.addresses),
    ]
    found: dict[str, Role] = {}
    for address, role in named:
        key = address.lower()
        if key and key not in strangers and key not in parse.BURN_ADDRESSES:
            found.setdefault(key, role)
    return tuple(Candidate(address=address, role=role) for address, role in found.items())[:CANDIDATES_MAX]


def _historical(history: Sequence[Any]) -> list[tuple[str, Role]]:
    """Return members of roles and former owners, newest first."""
    found: list[tuple[str, Role]] = []
    for answer in history:
        for entry in answer[:HISTORY_LOGS_MAX] if isinstance(answer, list) else ():
            log = parse.attempt(parse.log_of, entry)
            if log is None or not log.topics:
                continue
            if log.topics[0] == _TOPIC_ROLE_GRANTED and len(log.topics) == 4:
                found.append(("0x" + log.topics[2][26:], "role_member"))
            if log.topics[0] == _TOPIC_OWNERSHIP and len(log.topics) == 3:
                found += [("0x" + topic[26:], "former_owner") for topic in log.topics[1:]]
    return found[::-1]


# -- second questions -----------------------------------------------------------------------------


def candidate_requests(candidates: Sequence[Candidate], block: str) -> dict[str, Request]:
    """Return what each candidate is asked: its code, its own owner and its delay."""
    requests: dict[str, Request] = {}
    for number, item in enumerate(candidates):
        requests[f"code:{item.address}"] = ("eth_getCode", [item.address, block])
        if number < DELAYS_ASKED_MAX:
            requests |= delay_requests(item.address, block)
    return requests


def delay_requests(address: str, block: str) -> dict[str, Request]:
    """Return what shows whether a contract holds powers itself, passes them on, or delays them."""
    return {
        f"owner:{address}": view(address, abi.call(abi.OWNER), block),
        f"min_delay:{address}": view(address, abi.call(_GET_MIN_DELAY), block),
        f"delay:{address}": view(address, abi.call(_DELAY), block),
    }


def commanders_of(candidates: Sequence[Candidate], answers: Mapping[str, Any]) -> tuple[Commander, ...]:
    """Return the candidates with what they are, likeliest first; contracts that merely stand in storage come last."""
    commanders = []
    for item in candidates:
        code = code_of(answers.get(f"code:{item.address}"))
        contract = code is not None and is_contract(code)
        commanders.append(Commander(address=item.address, role=item.role, is_contract=contract))
    return tuple(sorted(commanders, key=lambda who: who.is_contract and who.role in ("stored", "constant")))


def code_of(answer: Any) -> bytes | None:
    """Return an answered code, None when it is unknown."""
    return parse.attempt(parse.hex_data, answer, "code", bytes_max=CODE_BYTES_MAX)


def delay_claimed(address: str, answers: Mapping[str, Any]) -> int:
    """Return the delay in seconds that a contract says it enforces, 0 when it says nothing. Not to be believed unproven."""
    for name in ("min_delay", "delay"):
        data = parse.attempt(parse.hex_data, answers.get(f"{name}:{address}"), "delay")
        delay = None if data is None else parse.attempt(parse.word, data, 0, "delay", maximum=_DELAY_MAX_S)
        if delay:
            return delay
    return 0


def owner_of(address: str, answers: Mapping[str, Any]) -> str | None:
    """Return a contract's own owner in lower case, "" when it is renounced, None when it names none."""
    data = parse.attempt(parse.hex_data, answers.get(f"owner:{address}"), "owner")
    owner = None if data is None else parse.attempt(parse.word_address, data, 0, "owner")
    if owner is None:
        return None
    return "" if owner in parse.BURN_ADDRESSES else owner
