"""Everything readable about one pair, in two batches at one block.

What to ask and how to understand the answers; reader.py does the asking. Whatever cannot be read is None with its
reason in ``missing``: never an exception, never a made-up value.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import lru_cache
from typing import Any

import evmole
from eth_utils.crypto import keccak

from apps.chains.evm import abi, lockers, parse, simulate
from apps.chains.evm.bytecode import MINIMAL_PROXY, without_metadata
from apps.chains.evm.client import Request, RpcFault
from apps.chains.evm.dex import solidly
from apps.chains.evm.dex.family import PRODUCT, Family
from apps.chains.evm.dex.position_shares import PoolShares
from apps.chains.evm.supplied import supplied_holders, unpaid_moves
from apps.domain.entities import TokenMove
from apps.domain.errors import BadDataError
from apps.domain.locks import LockerProfile
from apps.domain.market import (
    BlockRef,
    Listing,
    PairFacts,
    PoolReserves,
    PoolSwap,
    RoundTrip,
    SuppliedHolder,
)
from apps.domain.money import BPS_ONE, UINT256_MAX

VIEW_GAS = 250_000
#: Blocks in one eth_getLogs, and how many of those one reading takes.
LOG_BLOCKS_MAX = 2_000
LOG_CHUNKS_MAX = 5
#: Logs that are read of a token or a pool; a busier one is no new listing.
TRANSFERS_MAX = 5_000
SWAPS_MAX = 2_000
#: A token is often deployed some blocks before its pool.
HOLDER_LOOKBACK_BLOCKS = 1_000
#: Addresses whose balances are confirmed one by one.
HOLDERS_CONFIRMED_MAX = 80
#: Share of the supply that may sit at addresses which no event names, before holders count as unknown.
UNSEEN_SUPPLY_MAX_BPS = 200
#: Blocks whose times are asked for where logs carry none.
BLOCK_TIMES_MAX = 50
CODE_BYTES_MAX = 64 * 1024
_CODE_CACHE_MAX = 256
#: keccak("eip1967.proxy.implementation") - 1
_IMPLEMENTATION_SLOT = "0x360894a13ba1a3210667c828492db98dca3e2076cc3735a920a3ca505d382bbc"
#: JSON-RPC's own codes: the request was wrong or unknown, the contract was not asked.
_REQUEST_FAULTS = (-32700, -32600, -32601, -32602)
_REVERT_WORDS = re.compile(r"revert|invalid|out of gas|outofgas|opcode|stack|evm error|execution|halt", re.I)


def is_refusal(fault: RpcFault) -> bool:
    """Tell whether the contract itself refused a call, not the node."""
    if fault.code in _REQUEST_FAULTS:
        return False
    return fault.code == 3 or fault.data is not None or _REVERT_WORDS.search(fault.message) is not None


def view(to: str, data: str, block: str, *, gas: int = VIEW_GAS) -> Request:
    """Return an eth_call with bounded gas, so that no contract can make the answer huge."""
    return "eth_call", [{"to": to, "data": data, "gas": hex(gas)}, block]


def log_chunks(*, first: int, last: int) -> tuple[tuple[int, int], ...]:
    """Return the newest block ranges, at most LOG_CHUNKS_MAX, that eth_getLogs is asked for; oldest first."""
    start = max(first, last + 1 - LOG_BLOCKS_MAX * LOG_CHUNKS_MAX)
    return tuple((at, min(last, at + LOG_BLOCKS_MAX - 1)) for at in range(start, last + 1, LOG_BLOCKS_MAX))


@dataclass(frozen=True, slots=True, kw_only=True)
class RangedPool:
    """A pool of ranged liquidity at the pinned block; no reserves where it has no price or was not readable."""

    reserves: PoolReserves | None
    shares: PoolShares


@dataclass(frozen=True, slots=True, kw_only=True)
class Question:
    """What is asked of a pair. ``router`` is "" and ``buyer`` not used when the pair cannot be simulated."""

    listing: Listing
    block: BlockRef
    plan: simulate.Plan | None  # None: no round trip; the reason is in ``plan_missing``
    plan_missing: str
    simulates_plain: bool
    lockers: tuple[LockerProfile, ...]
    locked_beyond_s: int  # unix time at which liquidity must still be locked to count
    swaps_from: int
    infrastructure: frozenset[str] = frozenset()  # contracts that tokens pass through, lower case
    ranged: RangedPool | None = None  # a pool of ranged liquidity, read beforehand
    family: Family = PRODUCT
    fee_bps: int | None = None  # the pool's fee at the block where it may change

    @property
    def at(self) -> str:
        """Return the pinned height as the node wants it."""
        return hex(self.block.number)


@dataclass(slots=True)
class Reading:
    """The answers so far, and what could not be understood of them."""

    answers: dict[str, Any] = field(default_factory=dict)
    missing: dict[str, str] = field(default_factory=dict)
    shares: PoolShares | None = None  # of a pool whose shares are positions: "lp" answers come from here

    def number(self, name: str, part: str, *, maximum: int = UINT256_MAX) -> int | None:
        """Return an answered word; None with a reason under ``part``."""
        if self.shares is not None and name[:3] in ("lp:", "lp_"):
            return self._share(name, part)
        answer = self.answers.get(name)
        if isinstance(answer, RpcFault):
            self.missing.setdefault(part, _fault_words(answer))
            return None
        try:
            return parse.word(parse.hex_data(answer, name), 0, name, maximum=maximum)
        except BadDataError as error:
            self.missing.setdefault(part, str(error))
            return None

    def _share(self, name: str, part: str) -> int | None:
        assert self.shares is not None
        if self.shares.reason:
            self.missing.setdefault(part, self.shares.reason)
            return None
        return self.shares.total_raw if name == "lp_supply" else self.shares.by_owner.get(name[3:].lower(), 0)

    def total(self, names: Sequence[str], part: str) -> int | None:
        """Return the sum of answered words, None when one of them is unknown."""
        numbers = [self.number(name, part) for name in names]
        known = [number for number in numbers if number is not None]
        return sum(known) if len(known) == len(numbers) else None


# -- the first batch ------------------------------------------------------------------------------


def first_requests(question: Question) -> dict[str, Request]:
    """Return everything that can be asked without knowing anything yet, by name."""
    listing, at = question.listing, question.at
    pool, base = listing.pool_address, listing.base.address
    requests = {
        "reserves": view(pool, abi.call(abi.GET_RESERVES), at),
        "token0": view(pool, abi.call(abi.TOKEN0), at),
        "token1": view(pool, abi.call(abi.TOKEN1), at),
        "lp_supply": view(pool, abi.call(abi.TOTAL_SUPPLY), at),
        "supply": view(base, abi.call(abi.TOTAL_SUPPLY), at),
        "owner": view(base, abi.call(abi.OWNER), at),
        "get_owner": view(base, abi.call(abi.GET_OWNER), at),
        "code": ("eth_getCode", [base, at]),
        "implementation": ("eth_getStorageAt", [base, _IMPLEMENTATION_SLOT, at]),
        "pool_base": view(base, abi.call(abi.BALANCE_OF, pool), at),
    }
    for address in parse.BURN_ADDRESSES:
        requests[f"lp:{address}"] = view(pool, abi.call(abi.BALANCE_OF, address), at)
        requests[f"base:{address}"] = view(base, abi.call(abi.BALANCE_OF, address), at)
    for locker in question.lockers:
        requests[f"lp:{locker.address}"] = view(pool, abi.call(abi.BALANCE_OF, locker.address), at)
    if listing.creator:
        requests |= _holding_requests(question, listing.creator)
    requests |= _log_requests(question)
    if question.plan is not None:
        if question.family.is_injectable:
            requests["injected"] = simulate.injected_request(question.plan)
        if question.simulates_plain:
            requests["plain_buy"] = simulate.plain_buy_request(question.plan)
    return requests if question.ranged is None else _without_shares(requests)


def _holding_requests(question: Question, address: str) -> dict[str, Request]:
    listing, data = question.listing, abi.call(abi.BALANCE_OF, address)
    key = address.lower()
    return {
        f"base:{key}": view(listing.base.address, data, question.at),
        f"lp:{key}": view(listing.pool_address, data, question.at),
    }


def _without_shares(requests: dict[str, Request]) -> dict[str, Request]:
    """Return the requests that make sense where a pool has positions instead of shares."""
    return {
        name: item for name, item in requests.items() if name[:3] not in ("lp:", "lp_") and name != "reserves"
    }


def _log_requests(question: Question) -> dict[str, Request]:
    listing, last = question.listing, question.block.number
    requests: dict[str, Request] = {}
    first = max(0, listing.created_block.number - HOLDER_LOOKBACK_BLOCKS)
    swap_topics = list(question.family.swap_topics)
    for name, address, topic, start in (
        ("transfers", listing.base.address, abi.TOPIC_TRANSFER, first),
        ("swaps", listing.pool_address, swap_topics, question.swaps_from),
    ):
        for number, (low, high) in enumerate(log_chunks(first=start, last=last)):
            criteria = {"address": address, "topics": [topic], "fromBlock": hex(low), "toBlock": hex(high)}
            requests[f"{name}:{number}"] = ("eth_getLogs", [criteria])
    return requests


# -- the second batch -----------------------------------------------------------------------------


@dataclass(frozen=True, slots=True, kw_only=True)
class Halfway:
    """What the first batch told, needed to ask the rest."""

    reserves: PoolReserves | None
    owner: str | None  # lower case; "" when renounced or absent
    code: bytes | None
    minimal_target: str | None  # of an EIP-1167 proxy
    plain_buy: simulate.PlainBuy | None
    transfers: tuple[parse.Log, ...] | None  # with sender, recipient and amount in the right shape
    candidates: tuple[tuple[str, int], ...]  # (address, balance by the events), largest first
    swaps: tuple[parse.Log, ...] | None
    lp_held: Mapping[str, int] | None  # by locker that holds pool shares; None: unknown


def halfway(question: Question, reading: Reading) -> Halfway:
    """Return what the first batch's answers mean."""
    code = _code(reading)
    match = None if code is None else MINIMAL_PROXY.search(code[:64])
    transfers = _logs(question, reading, "transfers", part="holders", maximum=TRANSFERS_MAX)
    kept = None if transfers is None else tuple(log for log in transfers if _is_transfer(log))
    owner = _owner(reading)
    plain = reading.answers.get("plain_buy")
    return Halfway(
        reserves=_reserves(question, reading),
        owner=owner,
        code=code,
        minimal_target=None if match is None else "0x" + match.group(1).hex(),
        plain_buy=None if plain is None else simulate.plain_buy_result(plain),
        transfers=kept,
        candidates=_candidates(question, kept, owner),
        swaps=_swap_logs(question, reading),
        lp_held=_lp_held(question, reading),
    )


def second_requests(question: Question, known: Halfway) -> dict[str, Request]:
    """Return what only the first answers made askable; always the pinned block itself, to see that it still stands."""
    base, at = question.listing.base.address, question.at
    requests: dict[str, Request] = {"block": ("eth_getBlockByNumber", [at, False])}
    requests |= lockers.first_requests(lock_question(question), known.lp_held or {})
    for address, _ in known.candidates[:HOLDERS_CONFIRMED_MAX]:
        requests[f"base:{address}"] = view(base, abi.call(abi.BALANCE_OF, address), at)
    if known.owner and known.owner != question.listing.creator.lower():
        holding = _holding_requests(question, known.owner)
        requests |= holding if question.ranged is None else _without_shares(holding)
    if known.minimal_target is not None:
        requests["target_code"] = ("eth_getCode", [known.minimal_target, at])
    bought = known.plain_buy
    if question.plan is not None and bought is not None and bought.received_raw is not None:
        requests["plain"] = simulate.plain_request(question.plan, received_raw=bought.received_raw)
    for number in sorted({log.block_number for log in known.swaps or () if log.block_at_ms is None}):
        requests[f"time:{number}"] = ("eth_getBlockByNumber", [hex(number), False])
    return requests


# -- the facts ------------------------------------------------------------------------------------


def pair_facts(
    question: Question,
    reading: Reading,
    known: Halfway,
    *,
    read_at_ms: int,
    quote_price_usd_micros: int | None,
) -> PairFacts:
    """Return the facts out of all answers."""
    if quote_price_usd_micros is None:
        reading.missing["quote_price_usd_micros"] = (
            "the chain has no stable pool deep enough to price its coin"
        )
    supply = reading.number("supply", "base_total_supply_raw")
    insiders = _insiders(question, known, reading)
    code_hash, selectors = _code_facts(reading, known)
    locked = _locked(question, reading, known)
    holders = _holders(question, reading, known, supply=supply)
    return PairFacts(
        block=question.block,
        read_at_ms=read_at_ms,
        reserves=known.reserves,
        quote_price_usd_micros=quote_price_usd_micros,
        base_total_supply_raw=supply,
        base_creator_raw=_insider_total(reading, insiders, kind="base", part="base_creator_raw"),
        lp_total_supply_raw=reading.number("lp_supply", "lp_total_supply_raw"),
        lp_burned_raw=reading.total([f"lp:{address}" for address in parse.BURN_ADDRESSES], "lp_burned_raw"),
        lp_locked_raw=None if locked is None else locked.beyond(question.locked_beyond_s),
        lp_locks=None if locked is None else locked.locks,
        lp_unverified_raw=0 if locked is None else locked.unverified_raw,
        lp_creator_raw=_insider_total(reading, insiders, kind="lp", part="lp_creator_raw"),
        owner=abi.checksum(known.owner) if known.owner else known.owner,
        code_hash=code_hash,
        selectors=selectors,
        holders=holders,
        round_trips=_round_trips(question, reading, known),
        swaps=_swaps(question, reading, known),
        missing=reading.missing,
        supplied=_supplied(question, known, insiders=insiders, holders=holders),
        moves=_moves(question, known),
    )


def _fault_words(fault: RpcFault) -> str:
    return (
        f"the contract refuses: {fault.message}"
        if is_refusal(fault)
        else f"the node refuses: {fault.message}"
    )


def _reserves(question: Question, reading: Reading) -> PoolReserves | None:
    listing = question.listing
    tokens = tuple(reading.number(name, "reserves", maximum=2**160 - 1) for name in ("token0", "token1"))
    pair = (listing.base, listing.quote) if listing.base_is_token0 else (listing.quote, listing.base)
    if None in tokens:
        return None
    if tokens != tuple(int(token.address, 16) for token in pair):
        reading.missing["reserves"] = "the pool's tokens are not those of the listing"
        return None
    if question.ranged is not None:
        if question.ranged.reserves is None:
            reading.missing["reserves"] = "the pool has no price yet, or its ticks could not be read"
        return question.ranged.reserves
    answer = reading.answers["reserves"]
    if isinstance(answer, RpcFault):
        reading.missing["reserves"] = _fault_words(answer)
        return None
    try:
        return reserves_of(answer, listing, question.block, family=question.family, fee_bps=question.fee_bps)
    except BadDataError as error:
        reading.missing["reserves"] = str(error)
        return None


def reserves_of(
    answer: Any, listing: Listing, block: BlockRef, *, family: Family = PRODUCT, fee_bps: int | None = None
) -> PoolReserves:
    """Return a getReserves answer seen from the listing's base token. Raises BadDataError.

    ``fee_bps`` is the pool's fee at the block where it may change.
    """
    data = parse.hex_data(answer, "reserves")
    reserve0 = parse.word(data, 0, "reserve0", maximum=parse.UINT112_MAX)
    reserve1 = parse.word(data, 1, "reserve1", maximum=parse.UINT112_MAX)
    if family.has_changing_fee:
        return solidly.reserves_of((reserve0, reserve1), listing=listing, block=block, fee_bps=fee_bps)
    base, quote = (reserve0, reserve1) if listing.base_is_token0 else (reserve1, reserve0)
    return PoolReserves(pair_key=listing.pair_key, base_raw=base, quote_raw=quote, block=block)


def _owner(reading: Reading) -> str | None:
    """Return the owner in lower case, "" when renounced or when the token has none, None when unreadable."""
    for name in ("owner", "get_owner"):
        answer = reading.answers[name]
        if isinstance(answer, RpcFault):
            if not is_refusal(answer):
                reading.missing["owner"] = _fault_words(answer)
                return None
            continue
        try:
            address = parse.word_address(parse.hex_data(answer, "owner"), 0, "owner")
        except BadDataError as error:
            if answer == "0x":
                continue  # answered by a fallback that knows no owner
            reading.missing["owner"] = str(error)
            return None
        return "" if address in parse.BURN_ADDRESSES else address
    return ""


def _insiders(question: Question, known: Halfway, reading: Reading) -> tuple[str, ...] | None:
    """Return creator and owner in lower case, each once; None when one of them is unknown."""
    creator = question.listing.creator.lower()
    if not creator or known.owner is None:
        reason = "the creator is unknown" if not creator else "the owner is unknown"
        reading.missing["base_creator_raw"] = reading.missing["lp_creator_raw"] = reason
        return None
    return tuple(dict.fromkeys(address for address in (creator, known.owner) if address))


def _insider_total(reading: Reading, insiders: tuple[str, ...] | None, *, kind: str, part: str) -> int | None:
    return None if insiders is None else reading.total([f"{kind}:{address}" for address in insiders], part)


def _lp_held(question: Question, reading: Reading) -> dict[str, int] | None:
    held = {item.address: reading.number(f"lp:{item.address}", "lp_locked_raw") for item in question.lockers}
    known = {address: shares for address, shares in held.items() if shares is not None}
    return (
        {address: shares for address, shares in known.items() if shares} if len(known) == len(held) else None
    )


def lock_question(question: Question) -> lockers.LockQuestion:
    """Return which locks are asked for."""
    listing = question.listing
    return lockers.LockQuestion(
        lockers=question.lockers,
        pool=listing.pool_address,
        creator=listing.creator,
        block=question.at,
        ranges=log_chunks(first=listing.created_block.number, last=question.block.number),
    )


def third_requests(question: Question, known: Halfway, reading: Reading) -> dict[str, Request]:
    """Return what the locks' lists made askable, and the pinned block once more; mostly nothing."""
    requests = lockers.second_requests(lock_question(question), known.lp_held or {}, reading.answers)
    return requests | {"block": ("eth_getBlockByNumber", [question.at, False])} if requests else {}


def _locked(question: Question, reading: Reading, known: Halfway) -> lockers.LockedShares | None:
    """Return what known lockers hold; a lock of unknown end counts as none."""
    if known.lp_held is None:
        return None
    found = lockers.locked_shares(lock_question(question), known.lp_held, reading.answers)
    if found.why:
        reading.missing["lp_lock_times"] = found.why
    return found


# -- code -----------------------------------------------------------------------------------------


def _code(reading: Reading) -> bytes | None:
    answer = reading.answers["code"]
    if isinstance(answer, RpcFault):
        reading.missing["code_hash"] = reading.missing["selectors"] = _fault_words(answer)
        return None
    try:
        code = parse.hex_data(answer, "code", bytes_max=CODE_BYTES_MAX)
    except BadDataError as error:
        reading.missing["code_hash"] = reading.missing["selectors"] = str(error)
        return None
    if not code:
        reading.missing["code_hash"] = reading.missing["selectors"] = (
            "there is no contract at the token's address"
        )
        return None
    return code


def _code_facts(reading: Reading, known: Halfway) -> tuple[str | None, tuple[str, ...] | None]:
    if known.code is None:
        return None, None
    code_hash = "0x" + bytes(keccak(without_metadata(known.code))).hex()
    if known.minimal_target is not None:
        target = reading.answers.get("target_code")
        try:
            code = parse.hex_data(target, "implementation code", bytes_max=CODE_BYTES_MAX)
        except BadDataError as error:
            reading.missing["selectors"] = str(error)
            return code_hash, None
        return code_hash, code_selectors(code)
    slot = reading.answers["implementation"]
    if isinstance(slot, str) and slot.strip("0x"):
        reading.missing["selectors"] = "the token is a proxy whose code can be exchanged"
        return code_hash, None
    if isinstance(slot, RpcFault):
        reading.missing["selectors"] = f"whether the token is a proxy is unknown: {_fault_words(slot)}"
        return code_hash, None
    return code_hash, code_selectors(known.code)


@lru_cache(maxsize=_CODE_CACHE_MAX)
def code_selectors(code: bytes) -> tuple[str, ...]:
    """Return the selectors that runtime code answers to, "0x…", sorted."""
    functions = evmole.contract_info(code, selectors=True).functions or []
    return tuple(sorted("0x" + function.selector for function in functions))


# -- holders and swaps ----------------------------------------------------------------------------


def _logs(
    question: Question, reading: Reading, name: str, *, part: str, maximum: int
) -> tuple[parse.Log, ...] | None:
    """Return all logs of one kind in chain order; odd ones are left out; None with a reason when it cannot be complete."""
    logs: list[parse.Log] = []
    numbers = [key for key in reading.answers if key.startswith(f"{name}:")]
    for key in numbers:
        answer = reading.answers[key]
        if isinstance(answer, RpcFault):
            reading.missing[part] = _fault_words(answer)
            return None
        if not isinstance(answer, list) or len(logs) + len(answer) > maximum:
            reading.missing[part] = f"more than {maximum} events"
            return None
        parsed = (parse.attempt(parse.log_of, entry) for entry in answer)
        logs.extend(log for log in parsed if log is not None)
    return tuple(sorted(logs, key=lambda log: (log.block_number, log.log_index)))


def _is_transfer(log: parse.Log) -> bool:
    return len(log.topics) == 3 and len(log.data) == abi.WORD_BYTES and log.topics[0] == abi.TOPIC_TRANSFER


def _candidates(
    question: Question, transfers: tuple[parse.Log, ...] | None, owner: str | None
) -> tuple[tuple[str, int], ...]:
    """Return who may hold the token, by its own events: replayed balances, largest first."""
    balances: Counter[str] = Counter()
    for log in transfers or ():
        sender, recipient = "0x" + log.topics[1][26:], "0x" + log.topics[2][26:]
        amount = int.from_bytes(log.data, "big")
        balances[sender] -= amount
        balances[recipient] += amount
    for address in (question.listing.creator.lower(), owner):
        if address:
            balances[address] += 0
    for address in (*parse.BURN_ADDRESSES, question.listing.pool_address.lower()):
        balances.pop(address, None)
    # Whoever sent more than the events gave him held tokens before: his balance must be asked for, so he stays.
    return tuple(sorted(balances.items(), key=lambda item: (-abs(item[1]), item[0])))


def _holders(
    question: Question, reading: Reading, known: Halfway, *, supply: int | None
) -> tuple[tuple[str, int], ...] | None:
    """Return holders, largest first, without pool and burn addresses; the top ones as balanceOf confirms them.

    Beyond HOLDERS_CONFIRMED_MAX balances are as the events say. None when the events do not account for the supply:
    then somebody holds tokens that no event named.
    """
    if known.transfers is None:
        return None
    if supply is None:
        reading.missing["holders"] = "the supply is unknown, so whether all holders were seen is too"
        return None
    if len(known.candidates) > HOLDERS_CONFIRMED_MAX and _is_history_partial(question, known):
        reading.missing["holders"] = (
            "too many holders to ask each, and the events do not go back to the first"
        )
        return None
    balances: dict[str, int] = {}
    for address, replayed in known.candidates:
        if f"base:{address}" not in reading.answers:
            balances[address] = replayed
            continue
        confirmed = reading.number(f"base:{address}", "holders")
        if confirmed is None:
            return None
        balances[address] = confirmed
    outside = reading.total(
        ["pool_base", *(f"base:{address}" for address in parse.BURN_ADDRESSES)], "holders"
    )
    if outside is None:
        return None
    seen = outside + sum(balance for balance in balances.values() if balance > 0)
    if (supply - seen) * BPS_ONE > supply * UNSEEN_SUPPLY_MAX_BPS:
        share = (supply - seen) * BPS_ONE // supply
        reading.missing["holders"] = f"{share} bps of the supply lie at addresses that no event names"
        return None
    held = [(abi.checksum(address), balance) for address, balance in balances.items() if balance > 0]
    return tuple(sorted(held, key=lambda item: (-item[1], item[0])))


def _supplied(
    question: Question,
    known: Halfway,
    *,
    insiders: tuple[str, ...] | None,
    holders: tuple[tuple[str, int], ...] | None,
) -> tuple[SuppliedHolder, ...] | None:
    if insiders is None or holders is None:
        return None
    return supplied_holders(
        transfers=known.transfers or (),
        trades=frozenset(log.tx_hash for log in known.swaps or ()),
        insiders=frozenset(insiders),
        pool=question.listing.pool_address.lower(),
        apart=question.infrastructure | {question.listing.base.address.lower()},
        holders=holders,
    )


def _moves(question: Question, known: Halfway) -> tuple[TokenMove, ...] | None:
    if known.transfers is None or known.swaps is None:
        return None
    return unpaid_moves(
        known.transfers,
        trades=frozenset(log.tx_hash for log in known.swaps),
        pool=question.listing.pool_address.lower(),
        apart=question.infrastructure | {question.listing.base.address.lower()},
    )


def _is_history_partial(question: Question, known: Halfway) -> bool:
    """Tell whether balances cannot be told from the events alone: some are older than those that were read."""
    first = max(0, question.listing.created_block.number - HOLDER_LOOKBACK_BLOCKS)
    is_cut = question.block.number - first >= LOG_BLOCKS_MAX * LOG_CHUNKS_MAX
    return is_cut or any(replayed < 0 for _, replayed in known.candidates)


def _swap_logs(question: Question, reading: Reading) -> tuple[parse.Log, ...] | None:
    logs = _logs(question, reading, "swaps", part="swaps", maximum=SWAPS_MAX)
    if logs is None:
        return None
    if question.block.number - question.swaps_from >= LOG_BLOCKS_MAX * LOG_CHUNKS_MAX:
        reading.missing["swaps_before"] = f"only the last {LOG_BLOCKS_MAX * LOG_CHUNKS_MAX} blocks were read"
    undated = sorted({log.block_number for log in logs if log.block_at_ms is None})
    if len(undated) > BLOCK_TIMES_MAX:
        oldest = undated[-BLOCK_TIMES_MAX]
        logs = tuple(log for log in logs if log.block_number >= oldest)
        reading.missing["swaps_before"] = f"only the last {BLOCK_TIMES_MAX} blocks with swaps were read"
    return logs


def _swaps(question: Question, reading: Reading, known: Halfway) -> tuple[PoolSwap, ...] | None:
    if known.swaps is None:
        return None
    times: dict[int, int] = {}
    for name, answer in reading.answers.items():
        block = parse.attempt(parse.block_ref, answer) if name.startswith("time:") else None
        if block is not None:
            times[block.number] = block.at_ms
    swaps: list[PoolSwap] = []
    passed = {} if question.ranged is None else receivers(known.transfers or ())
    senders = pool_senders(known.transfers or (), {question.listing.pool_address.lower()})
    for log in known.swaps:
        try:
            swap = question.family.swap(log, question.listing, seller=senders.before(log), times_ms=times)
            swaps.append(swap if question.ranged is None else with_receiver(swap, passed))
        except BadDataError as error:
            reading.missing["swaps"] = str(error)
            return None
    return tuple(swaps)


@dataclass(frozen=True, slots=True)
class PoolSenders:
    """Who sent the base token into which pool, by transaction: the sellers behind a router."""

    sent: Mapping[tuple[str, str], tuple[tuple[int, str], ...]]  # (tx hash, pool) -> (log index, sender)

    def before(self, log: parse.Log) -> str | None:
        """Return who sent tokens into the swap's pool last before it, None when nobody is seen to."""
        moves = self.sent.get((log.tx_hash, log.address), ())
        return next((sender for index, sender in reversed(moves) if index < log.log_index), None)


def pool_senders(transfers: Sequence[parse.Log], pools: set[str]) -> PoolSenders:
    """Return the senders of these Transfer logs into ``pools`` (lower case)."""
    sent: dict[tuple[str, str], list[tuple[int, str]]] = {}
    for log in transfers:
        pool = "0x" + log.topics[2][26:]
        if pool in pools:
            sent.setdefault((log.tx_hash, pool), []).append((log.log_index, "0x" + log.topics[1][26:]))
    return PoolSenders({key: tuple(sorted(moves)) for key, moves in sent.items()})


def receivers(transfers: Iterable[parse.Log]) -> dict[tuple[str, str], str]:
    """Return to whom each account passed the base token on last, by transaction and account: the buyers behind a router."""
    return {(log.tx_hash, "0x" + log.topics[1][26:]): "0x" + log.topics[2][26:] for log in transfers}


def with_receiver(swap: PoolSwap, passed: Mapping[tuple[str, str], str]) -> PoolSwap:
    """Return the swap with the buyer to whom a router passed the tokens on, where it did."""
    receiver = passed.get((swap.tx_hash, swap.trader.lower())) if swap.side == "buy" else None
    return swap if receiver is None else replace(swap, trader=abi.checksum(receiver))


# -- round trips ----------------------------------------------------------------------------------


def _round_trips(question: Question, reading: Reading, known: Halfway) -> tuple[RoundTrip, ...]:
    plan = question.plan
    if plan is None:
        reading.missing["round_trips"] = question.plan_missing
        return ()
    injected = simulate.injected_result(plan, reading.answers.get("injected"))
    bought = known.plain_buy
    if bought is None:
        return injected, simulate.unavailable(
            plan, "eth_simulateV1", "no endpoint of this chain offers eth_simulateV1"
        )
    if bought.received_raw is None:
        return injected, simulate.plain_failure(plan, bought)
    state = simulate.pool_state(known.reserves)
    return injected, simulate.plain_result(plan, reading.answers["plain"], bought=bought, reserves=state)
