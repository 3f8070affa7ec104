"""Reads one EVM chain for the road. Implements ``ports.ChainReader`` in as few round trips as the questions allow."""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any, TypeVar

from apps.chains.evm import (
    abi,
    ahead,
    departure,
    facts,
    in_turn,
    parse,
    probes_local,
    probes_run,
    simulate,
    simulate_local,
)
from apps.chains.evm.client import TIMEOUT_DEFAULT_S, EvmClient, Request, RpcFault
from apps.chains.evm.dex import solidly, uniswap_v3
from apps.chains.evm.dex.family import FAMILIES, PRODUCT, Family, family_of
from apps.chains.evm.dex.pool_states import pool_states
from apps.chains.evm.dex.position_shares import PoolShares, pool_shares
from apps.chains.evm.fees import read_fees
from apps.chains.evm.funding import first_funding
from apps.chains.evm.payers import first_coins
from apps.chains.evm.probes_run import Assessment
from apps.chains.evm.simulate_script import Stage, script_request, script_told
from apps.chains.evm.token_text import NAME_CHARS_MAX, SYMBOL_CHARS_MAX, token_decimals, token_text
from apps.domain.entities import FirstCoins
from apps.domain.errors import BadDataError, EndpointLyingError, NetworkError, ReorgError
from apps.domain.locks import LockerProfile
from apps.domain.market import (
    BlockRef,
    ChainEvent,
    ChainProfile,
    DexProfile,
    FeeQuote,
    Funding,
    Listing,
    PairFacts,
    PoolReserves,
    PoolSwap,
    PoolTokens,
    Receipt,
    TokenMetadata,
)
from apps.domain.money import UINT256_MAX, USD_MICROS, Token
from apps.domain.order import UnsignedTx
from apps.domain.probes import TokenProbes
from apps.domain.sending import SendFacts, SendQuestion

logger = logging.getLogger(__name__)

_Name = TypeVar("_Name")
_ACTIVITY_TOPICS = list(
    dict.fromkeys(
        topic for family in FAMILIES.values() for topic in (*family.state_topics, *family.swap_topics)
    )
) + list(uniswap_v3.LIQUIDITY_TOPICS)

#: Reading a name of 10 kB out of storage takes 700,000 gas; what this gas can return is below 2 MB of hex text.
TEXT_GAS = 1_500_000
#: Tokens in one answer: even hostile ones together stay below the client's size limit.
TOKENS_PER_BATCH_MAX = 6
#: Addresses in one eth_getLogs filter.
LOG_ADDRESSES_MAX = 200
LOGS_PER_ANSWER_MAX = 20_000
#: A stable pool shallower than this prices nothing.
STABLE_DEPTH_MIN_USD_MICROS = 1_000 * USD_MICROS
STABLE_POOLS_RECHECK_S = 60.0
#: Liquidity counts as locked when it still is after so long.
LOCK_HORIZON_S = 86_400

_METADATA_PARTS = (
    (abi.NAME, TEXT_GAS),
    (abi.SYMBOL, TEXT_GAS),
    (abi.DECIMALS, facts.VIEW_GAS),
    (abi.TOTAL_SUPPLY, facts.VIEW_GAS),
)


@dataclass(frozen=True, slots=True, kw_only=True)
class _StablePool:
    address: str
    stable: Token
    stable_is_token0: bool


class EvmReader:
    """Reads one chain through ``client``. Thread-safe."""

    def __init__(
        self,
        client: EvmClient,
        profile: ChainProfile,
        *,
        lockers: Sequence[LockerProfile] = (),
        dexes: Sequence[DexProfile] = (),
        lock_horizon_s: int = LOCK_HORIZON_S,
    ) -> None:
        self.profile = profile
        self._client = client
        self._lockers = tuple({locker.address.lower(): locker for locker in lockers}.values())
        self._dexes = {dex.dex_key: dex for dex in dexes}
        self._lock_horizon_s = lock_horizon_s
        self._stable_lock = threading.Lock()
        self._stable_pools: tuple[_StablePool, ...] = ()
        self._stable_checked_at: float | None = None

    # -- blocks ---------------------------------------------------------------------------

    def head(self) -> BlockRef:
        """Return the newest block. Raises NetworkError."""
        return self._block_ref(self._header())

    def block(self, number: int) -> BlockRef | None:
        """Return the block at this height, or None when the chain is shorter. Raises NetworkError."""
        answer = self._client.call("eth_getBlockByNumber", [hex(number), False])
        return None if answer is None else self._block_ref(answer)

    # -- tokens and pools -----------------------------------------------------------------

    def token_metadata(self, addresses: Sequence[str]) -> Mapping[str, TokenMetadata]:
        """Return each token's self-description by the address as given; hostile tokens give faults, no exception."""
        found: dict[str, TokenMetadata] = {}
        for start in range(0, len(addresses), TOKENS_PER_BATCH_MAX):
            chunk = addresses[start : start + TOKENS_PER_BATCH_MAX]
            requests = {
                f"{address}:{number}": facts.view(address, abi.call(part), "latest", gas=gas)
                for address in chunk
                for number, (part, gas) in enumerate(_METADATA_PARTS)
            }
            answers = self._ask(requests)
            for address in chunk:
                found[address] = _metadata(
                    address, [answers[f"{address}:{n}"] for n in range(len(_METADATA_PARTS))]
                )
        return found

    def senders(self, tx_hashes: Sequence[str]) -> Mapping[str, str]:
        """Return who sent each transaction (EIP-55); unknown transactions are absent."""
        answers = self._ask({tx_hash: ("eth_getTransactionByHash", [tx_hash]) for tx_hash in tx_hashes})
        found: dict[str, str] = {}
        for tx_hash, answer in answers.items():
            if isinstance(answer, dict):
                sender = parse.attempt(parse.hex_address, answer.get("from"), "sender")
                if sender is not None:
                    found[tx_hash] = abi.checksum(sender)
        return found

    def pool_tokens(self, pool_addresses: Sequence[str]) -> Mapping[str, PoolTokens]:
        """Return what these pools say of themselves, by the address as given; what is no pool is absent."""
        parts = (abi.FACTORY, abi.TOKEN0, abi.TOKEN1)
        answers = self._ask(
            {
                f"{pool}:{number}": facts.view(pool, abi.call(part), "latest")
                for pool in pool_addresses
                for number, part in enumerate(parts)
            }
        )
        found: dict[str, PoolTokens] = {}
        for pool in pool_addresses:
            words = [_word(answers[f"{pool}:{number}"], maximum=2**160 - 1) for number in range(len(parts))]
            factory, token0, token1 = (
                None if value is None else abi.checksum(f"0x{value:040x}") for value in words
            )
            if factory and token0 and token1:
                found[pool] = PoolTokens(pool_address=pool, factory=factory, token0=token0, token1=token1)
        return found

    def pool_creations(self, pools: Sequence[PoolTokens]) -> Mapping[str, ChainEvent]:
        """Return the factory's log that created each pool, by pool address; absent: its factory has no such log.

        Pools of factories that are not configured are absent too. Raises NetworkError when no endpoint searches the
        whole log.
        """
        keys = {dex.factory.lower(): dex.dex_key for dex in self._dexes.values()}
        wanted = [pool for pool in pools if pool.factory.lower() in keys]
        requests: dict[str, Request] = {}
        for pool in wanted:
            family = family_of(self._dexes[keys[pool.factory.lower()]].kind)
            topics = [family.created_topic, abi.address_topic(pool.token0), abi.address_topic(pool.token1)]
            criteria = {"address": pool.factory, "topics": topics, "fromBlock": "0x0", "toBlock": "latest"}
            requests[pool.pool_address] = ("eth_getLogs", [criteria])
        answers = self._ask(requests)
        logs = {pool.pool_address: self._logs_or_raise(answers[pool.pool_address]) for pool in wanted}
        times = self._times(log for entries in logs.values() for log in entries)
        found: dict[str, ChainEvent] = {}
        for pool in wanted:
            for log in logs[pool.pool_address]:
                dex_key = keys[pool.factory.lower()]
                event = parse.attempt(
                    family_of(self._dexes[dex_key].kind).created,
                    log,
                    chain_key=self.profile.chain_key,
                    dex_key=dex_key,
                    times_ms=times,
                )
                if event is not None and event.pool_address.lower() == pool.pool_address.lower():
                    found[pool.pool_address] = event
        return found

    def deepest_pool(self, token_address: str) -> tuple[str, str] | None:
        """Return DEX key and address (EIP-55) of the token's pool with most wrapped coins, None when it has none.

        Asks every configured DEX.
        """
        wrapped = self.profile.wrapped_native.address
        answers = self._ask(
            {
                (key, number): facts.view(dex.factory, find, "latest")
                for key, dex in self._dexes.items()
                for number, find in enumerate(family_of(dex.kind).pool_calls(token_address, wrapped))
            }
        )
        pools = {key: _word(answer, maximum=2**160 - 1) for key, answer in answers.items()}
        found = {key: abi.checksum(f"0x{address:040x}") for key, address in pools.items() if address}
        depths = self._ask(
            {
                key: facts.view(wrapped, abi.call(abi.BALANCE_OF, address), "latest")
                for key, address in found.items()
            }
        )
        ranked = sorted(found, key=lambda key: -(_word(depths[key]) or 0))
        return (ranked[0][0], found[ranked[0]]) if ranked else None

    def pair_facts(
        self, listing: Listing, *, buyer: str, probe_amount_raw: int, previous_swaps_from: int
    ) -> PairFacts:
        """Return everything readable about a pair at the newest block; the round trips spend ``probe_amount_raw``.

        Swaps are read from the pair's creation, or from block ``previous_swaps_from`` when that is later. Takes three
        round trips: the block, the questions, and those that follow from the answers; a fourth where a locker lists
        its locks by number, and seven more where liquidity lies in ranges. Raises NetworkError only, and
        ReorgError (one of them) when the block vanished meanwhile.
        """
        header = self._header()
        block = self._block_ref(header)
        plan, plan_missing = self._plan(
            listing, buyer=buyer, amount_raw=probe_amount_raw, block=block, header=header
        )
        question = facts.Question(
            listing=listing,
            block=block,
            plan=plan,
            plan_missing=plan_missing,
            simulates_plain=self._client.supports("simulate_v1"),
            lockers=self._lockers,
            locked_beyond_s=block.at_ms // 1_000 + self._lock_horizon_s,
            swaps_from=max(listing.created_block.number, previous_swaps_from),
            infrastructure=self._infrastructure(listing),
            ranged=self._ranged_pool(listing, block) if self._is_ranged(listing) else None,
            family=self._family(listing),
            fee_bps=None if plan is None else plan.fee_bps,
        )
        stable_pools = self._known_stable_pools()
        price_requests = {f"price:{pool.address}": _price_request(pool, question.at) for pool in stable_pools}
        reading = facts.Reading(shares=None if question.ranged is None else question.ranged.shares)
        reading.answers |= self._ask(facts.first_requests(question) | price_requests)
        known = facts.halfway(question, reading)
        reading.answers |= self._ask(facts.second_requests(question, known))
        reading.answers |= self._ask(facts.third_requests(question, known, reading))
        self._stands(block, reading.answers["block"])
        found = facts.pair_facts(
            question,
            reading,
            known,
            read_at_ms=time.time_ns() // 1_000_000,
            quote_price_usd_micros=self._quote_price(listing.quote, stable_pools, reading.answers),
        )
        return found if plan is None else self._locally_completed(found, plan)

    def _locally_completed(self, found: PairFacts, plan: simulate.Plan) -> PairFacts:
        """Return the facts with round trips of our own process where no endpoint is able to simulate them."""
        delays = {0: "state_override", 1: "simulate_v1"}
        unable = frozenset(
            delay
            for delay, name in delays.items()
            if not self._client.supports(name) or (delay == 0 and not plan.family.is_injectable)
        )
        url_http = self._local_url() if unable else ""
        if not url_http:
            return found
        trips = probes_local.trips_completed(
            found.round_trips,
            plan=plan,
            stage=self._stage(found.block, plan),
            reserves=found.reserves,
            url_http=url_http,
            chain_id=self.profile.chain_id or 0,
            delays=unable,
        )
        return replace(found, round_trips=trips)

    def _stage(self, block: BlockRef, plan: simulate.Plan) -> Stage:
        return Stage(
            number=block.number,
            at_s=block.at_ms // 1_000,
            block_time_ms=self.profile.block_time_ms,
            base_fee_wei=plan.base_fee_wei,
            tip_wei=plan.tip_wei,
        )

    def token_probes(
        self, listing: Listing, facts: PairFacts, *, buyer: str, probe_amount_raw: int
    ) -> TokenProbes:
        """Return the full assessment of a pair's token at the block of its ``facts``: some five round trips.

        Raises NetworkError only, and ReorgError (one of them) when the block vanished meanwhile.
        """
        header = self._client.call("eth_getBlockByNumber", [hex(facts.block.number), False])
        self._stands(facts.block, header)
        plan, missing = self._plan(
            listing, buyer=buyer, amount_raw=probe_amount_raw, block=facts.block, header=header
        )
        if plan is None:
            return probes_run.unprobed(facts, buyer=buyer, amount_in_raw=probe_amount_raw, reason=missing)
        assessment = Assessment(
            listing=listing,
            facts=facts,
            plan=plan,
            stage=self._stage(facts.block, plan),
            ask=self._ask,
            chain_id=self.profile.chain_id or 0,
            can_simulate=self._client.supports("simulate_v1"),
            url_http=self._local_url(),
            infrastructure=self._infrastructure(listing),
        )
        return assessment.run()

    def _local_url(self) -> str:
        """Return where an EVM in our own process may fetch state, "" when there is none installed."""
        if not simulate_local.is_available():
            return ""
        proven = self._client.endpoints_proven(timeout_s=TIMEOUT_DEFAULT_S)
        return next((endpoint.config.url_http for endpoint in proven), "")

    def _infrastructure(self, listing: Listing) -> frozenset[str]:
        """Return the addresses that a token names without being commanded by them, lower case."""
        addresses = [listing.base.address, listing.pool_address, self.profile.wrapped_native.address]
        addresses += [stable.address for stable in self.profile.stables]
        for dex in self._dexes.values():
            addresses += [dex.factory, dex.router]
        return frozenset(
            address.lower() for address in (*addresses, *(item.address for item in self._lockers))
        )

    def reserves(self, listings: Sequence[Listing]) -> Mapping[str, PoolReserves]:
        """Return reserves by pair key, all at the newest block; pools that do not answer are absent."""
        if not listings:
            return {}
        block = self.head()
        ranged = [item for item in listings if self._is_ranged(item)]
        found: dict[str, PoolReserves] = self._ranged_reserves(ranged, block) if ranged else {}
        plain = [item for item in listings if item not in ranged]
        data = abi.call(abi.GET_RESERVES)
        answers = self._ask(
            {item.pair_key: facts.view(item.pool_address, data, hex(block.number)) for item in plain}
        )
        fees = self._changing_fees(plain, at=hex(block.number))
        for item in plain:
            answer = answers[item.pair_key]
            if isinstance(answer, RpcFault):
                continue
            reserves = parse.attempt(
                facts.reserves_of,
                answer,
                item,
                block,
                family=self._family(item),
                fee_bps=fees.get(item.pair_key),
            )
            if reserves is not None:
                found[item.pair_key] = reserves
        return found

    def _is_ranged(self, listing: Listing) -> bool:
        """Tell whether the listing's pool holds ranged liquidity."""
        return self._family(listing).is_ranged

    def _family(self, listing: Listing) -> Family:
        dex = self._dexes.get(listing.dex_key)
        return PRODUCT if dex is None else family_of(dex.kind)

    def _changing_fees(self, listings: Sequence[Listing], *, at: str) -> dict[str, int]:
        """Return the fees in bps, by pair key, of pools whose factory may change them; others are absent."""
        answers = self._ask(
            {
                item.pair_key: facts.view(
                    self._dexes[item.dex_key].factory,
                    solidly.fee_call(item.pool_address, is_stable=False),
                    at,
                )
                for item in listings
                if self._family(item).has_changing_fee
            }
        )
        fees = {key: parse.attempt(solidly.fee_of, answer) for key, answer in answers.items()}
        return {key: fee for key, fee in fees.items() if fee is not None}

    def _ranged_reserves(self, listings: Sequence[Listing], block: BlockRef) -> dict[str, PoolReserves]:
        """Return ranged pools with their ticks and what they hold, all at one block; others are absent."""
        at = hex(block.number)
        states = pool_states(self._ask, {item.pair_key: item.pool_address for item in listings}, at=at)
        held = self._ask(
            {
                f"{part}:{item.pair_key}": facts.view(
                    token.address, abi.call(abi.BALANCE_OF, item.pool_address), at
                )
                for item in listings
                for part, token in (("base", item.base), ("quote", item.quote))
            }
        )
        found: dict[str, PoolReserves] = {}
        for item in listings:
            base, quote = (_word(held[f"{part}:{item.pair_key}"]) for part in ("base", "quote"))
            if item.pair_key in states and base is not None and quote is not None:
                found[item.pair_key] = uniswap_v3.reserves_of(
                    states[item.pair_key],
                    listing=item,
                    block=block,
                    base_held_raw=base,
                    quote_held_raw=quote,
                )
        return found

    def _ranged_pool(self, listing: Listing, block: BlockRef) -> facts.RangedPool:
        """Return a ranged pool with whose coins it holds."""
        reserves = self._ranged_reserves([listing], block).get(listing.pair_key)
        if reserves is None or reserves.concentrated is None:
            return facts.RangedPool(reserves=None, shares=PoolShares.unknown("the pool has no price yet"))
        at = hex(block.number)
        data = abi.call(abi.BALANCE_OF, listing.pool_address)
        held = self._ask({"held": facts.view(listing.quote.address, data, at)})["held"]
        shares = pool_shares(
            self._ask,
            listing,
            reserves.concentrated,
            router=self._dexes[listing.dex_key].router,
            quote_held_raw=_word(held) or 0,
            at=at,
            ranges=facts.log_chunks(first=listing.created_block.number, last=block.number),
        )
        return facts.RangedPool(reserves=reserves, shares=shares)

    def pool_activity(
        self, listings: Sequence[Listing], first_block: int, last_block: int
    ) -> tuple[tuple[PoolReserves, ...], tuple[PoolSwap, ...]]:
        """Return the reserve updates and swaps of these pools in these blocks, in log order. Raises NetworkError."""
        by_pool = {item.pool_address.lower(): item for item in listings}
        requests: dict[str, Request] = {}
        for number, (chunk, low, high) in enumerate(_activity_chunks(listings, first_block, last_block)):
            bounds = {"fromBlock": hex(low), "toBlock": hex(high)}
            pools = [item.pool_address for item in chunk]
            requests[f"pools:{number}"] = (
                "eth_getLogs",
                [{**bounds, "address": pools, "topics": [_ACTIVITY_TOPICS]}],
            )
            into = [abi.TOPIC_TRANSFER, None, [abi.address_topic(pool) for pool in pools]]
            bases = sorted({item.base.address for item in chunk})
            requests[f"sent:{number}"] = ("eth_getLogs", [{**bounds, "address": bases, "topics": into}])
            if ranged := [item for item in chunk if self._is_ranged(item)]:
                routers = sorted({abi.address_topic(self._dexes[item.dex_key].router) for item in ranged})
                tokens = sorted({item.base.address for item in ranged})
                out = {**bounds, "address": tokens, "topics": [abi.TOPIC_TRANSFER, routers]}
                requests[f"passed:{number}"] = ("eth_getLogs", [out])
        answers = self._ask(requests)
        sent = [log for name, answer in answers.items() if name[:5] == "sent:" for log in self._logs(answer)]
        passed = facts.receivers(
            log
            for name, answer in answers.items()
            if name[:7] == "passed:"
            for log in self._logs(answer)
            if len(log.topics) == 3
        )
        senders = facts.pool_senders([log for log in sent if len(log.topics) == 3], set(by_pool))
        logs = [
            log
            for name, answer in answers.items()
            if name[:6] == "pools:"
            for log in self._logs_or_raise(answer)
        ]
        logs.sort(key=lambda log: (log.block_number, log.log_index))
        times = self._times(logs)
        reserves: list[PoolReserves] = []
        swaps: list[PoolSwap] = []
        moved: set[str] = set()
        fees = self._changing_fees(listings, at=hex(last_block)) if logs else {}
        for log in logs:
            listing = by_pool.get(log.address)
            if listing is None:
                continue
            try:
                if log.topics[0] in uniswap_v3.LIQUIDITY_TOPICS:
                    moved.add(listing.pair_key)
                elif log.topics[0] in uniswap_v3.SWAP_TOPICS:
                    seller = senders.before(log)
                    swap = uniswap_v3.pool_swap(log, listing, seller=seller, times_ms=times)
                    swaps.append(facts.with_receiver(swap, passed))
                elif log.topics[0] == abi.TOPIC_SYNC:
                    reserves.append(parse.pool_reserves(log, listing, times))
                elif log.topics[0] == solidly.TOPIC_SYNC:
                    fee = fees.get(listing.pair_key)
                    reserves.append(solidly.pool_reserves(log, listing, times, fee_bps=fee))
                else:
                    read = self._family(listing).swap
                    swaps.append(read(log, listing, seller=senders.before(log), times_ms=times))
            except BadDataError as error:
                logger.warning(
                    "pool log was not understood", extra={"fault": str(error), "pair": listing.pair_key}
                )
        moved.update(swap.pair_key for swap in swaps)
        ranged = [item for item in listings if item.pair_key in moved and self._is_ranged(item)]
        if ranged:  # their swaps tell the price, not the ticks around it
            last = self.block(last_block)
            reserves.extend(self._ranged_reserves(ranged, last).values() if last is not None else ())
        return tuple(reserves), tuple(swaps)

    def quote_price_usd_micros(self) -> int | None:
        """Return the price of one whole native coin from the chain's deepest stable pool, None when there is none."""
        pools = self._known_stable_pools()
        answers = self._ask({f"price:{pool.address}": _price_request(pool, "latest") for pool in pools})
        return _native_price(pools, answers, self.profile.wrapped_native)

    # -- accounts and transactions --------------------------------------------------------

    def balances(self, owner: str, token_addresses: Sequence[str]) -> Mapping[str, int]:
        """Return raw balances by the address as given, "native" for the coin; a token that does not answer is absent."""
        data = abi.call(abi.BALANCE_OF, owner)
        requests: dict[str, Request] = {
            address: ("eth_getBalance", [owner, "latest"])
            if parse.is_native(address)
            else facts.view(address, data, "latest")
            for address in token_addresses
        }
        found: dict[str, int] = {}
        for address, answer in self._ask(requests).items():
            if parse.is_native(address):
                if isinstance(answer, RpcFault):
                    raise NetworkError(f"The node did not give the balance: {answer.message}")
                found[address] = parse.hex_number(answer, "balance")
            elif (balance := _word(answer)) is not None:
                found[address] = balance
        return found

    def allowance(self, owner: str, spender: str, token_address: str) -> int:
        """Return the raw allowance."""
        data = abi.call(abi.ALLOWANCE, owner, spender)
        method, params = facts.view(token_address, data, "latest")
        return parse.word(parse.hex_data(self._client.call(method, params), "allowance"), 0, "allowance")

    def transaction_count(self, owner: str, *, pending: bool) -> int:
        """Return the next nonce as the chain sees it."""
        answer = self._client.call("eth_getTransactionCount", [owner, "pending" if pending else "latest"])
        return parse.hex_number(answer, "transaction count", maximum=parse.UINT64_MAX)

    def fees(self) -> FeeQuote:
        """Return fees for the next block."""
        return read_fees(self._client, self.profile)

    def failure_ahead(self, tx: UnsignedTx, *, sender: str, balance_raw: int | None = None) -> str:
        """Return why the transaction would fail upon what waits at the node, "" when it would not or nobody can tell."""
        [answer] = self._client.batch([ahead.request(tx, sender=sender, balance_raw=balance_raw)])
        return ahead.failure(answer)

    def failure_in_turn(self, blocks: Sequence[Sequence[UnsignedTx]], *, sender: str) -> str | None:
        """Return why one of these would fail, played block after block; "" for none, None when no node can tell."""
        if not self._client.supports("simulate_v1"):
            return None
        header = self._header()
        block = self._block_ref(header)
        base_fee = parse.attempt(parse.hex_number, header.get("baseFeePerGas"), "base fee")
        stage = Stage(
            number=block.number,
            at_s=block.at_ms // 1_000,
            block_time_ms=self.profile.block_time_ms,
            base_fee_wei=base_fee or 0,
            tip_wei=self.profile.tip_min_wei,
        )
        script = in_turn.script_of(blocks, sender=sender, stage=stage)
        answer = self._ask({"script": script_request(script, stage)})["script"]
        return in_turn.failure_of(script_told(answer, script))

    def send_facts(self, question: SendQuestion) -> SendFacts:
        """Return fees, coins, nonce, allowance and the swap's trial, in one batch."""
        return departure.read(self._client, self.profile, question)

    def receipt(self, tx_hash: str) -> Receipt | None:
        """Return the receipt, or None while the transaction is not mined."""
        answer = self._client.call("eth_getTransactionReceipt", [tx_hash])
        if answer is None:
            return None
        at_ms = parse.receipt_block_at_ms(answer)
        if at_ms is None:
            number = parse.receipt_block_number(answer)
            block = self.block(number)
            if block is None:
                raise ReorgError("The block of a receipt vanished while it was read.", block=number)
            at_ms = block.at_ms
        return parse.receipt(answer, block_at_ms=at_ms, wrapped_address=self.profile.wrapped_native.address)

    def is_known(self, tx_hash: str) -> bool:
        """Tell whether the node has the transaction, mined or pending."""
        return self._client.call("eth_getTransactionByHash", [tx_hash]) is not None

    def first_funding(self, account: str, *, before_block: int) -> Funding:
        """Return who gave an account its first coins, looking back from a block; unknown where old state is gone."""
        return first_funding(account, before_block=before_block, ask=self._ask)

    def first_coins(self, addresses: Sequence[str], *, before_block: int) -> FirstCoins:
        """Return who gave each of these addresses (lower case) its first coins, unknown where no node keeps traces."""
        return first_coins(addresses, before_block=before_block, ask=self._ask)

    # -- parts ----------------------------------------------------------------------------

    def _ask(self, requests: Mapping[_Name, Request]) -> dict[_Name, Any]:
        """Send named requests in one batch and return the answers by name."""
        if not requests:
            return {}
        return dict(zip(requests, self._client.batch(list(requests.values())), strict=True))

    def _header(self) -> Any:
        return self._client.call("eth_getBlockByNumber", ["latest", False])

    def _block_ref(self, header: Any) -> BlockRef:
        """Return the block of a header; one that is none is a lie of the endpoint, so another may be asked."""
        try:
            return parse.block_ref(header)
        except BadDataError as error:
            raise EndpointLyingError(
                f"An endpoint gave a block that is none: {error}",
                remedy="Check the chain's endpoints.",
                chain=self.profile.chain_key,
            ) from error

    def _stands(self, block: BlockRef, answer: Any) -> None:
        """Raise ReorgError unless the pinned block is still the chain's block at its height."""
        again = parse.attempt(parse.block_ref, answer)
        if again is None or again.hash != block.hash:
            raise ReorgError("The block vanished while it was read.", block=block.number)

    def _plan(
        self, listing: Listing, *, buyer: str, amount_raw: int, block: BlockRef, header: Any
    ) -> tuple[simulate.Plan | None, str]:
        dex = self._dexes.get(listing.dex_key)
        if dex is None:
            return None, f"the DEX {listing.dex_key} is not configured"
        if listing.quote.address.lower() != self.profile.wrapped_native.address.lower():
            return None, "only pairs with the wrapped native coin can be simulated"
        if amount_raw <= 0:
            return None, "there is no amount to simulate"
        fees = self._changing_fees([listing], at=hex(block.number))
        return simulate.Plan(
            buyer=buyer,
            pool=listing.pool_address,
            router=dex.router,
            wrapped=listing.quote.address,
            token=listing.base.address,
            amount_in_raw=amount_raw,
            fee_bps=fees.get(listing.pair_key, listing.fee_bps),
            base_fee_wei=parse.attempt(parse.hex_number, header.get("baseFeePerGas"), "base fee") or 0,
            tip_wei=self.profile.tip_min_wei,
            block=hex(block.number),
            kind=dex.kind,
            factory=dex.factory,
        ), ""

    def _logs(self, answer: Any) -> list[parse.Log]:
        """Return the readable logs of one answer; odd ones are noted and left out."""
        if not isinstance(answer, list):
            return []
        logs: list[parse.Log] = []
        for entry in answer[:LOGS_PER_ANSWER_MAX]:
            try:
                logs.append(parse.log_of(entry))
            except BadDataError as error:
                logger.warning("log was not understood", extra={"fault": str(error), **error.context})
        return logs

    def _logs_or_raise(self, answer: Any) -> list[parse.Log]:
        if not isinstance(answer, list) or len(answer) > LOGS_PER_ANSWER_MAX:
            words = (
                answer.message if isinstance(answer, RpcFault) else "not a list of logs, or too long a one"
            )
            raise NetworkError(
                f"The node did not give logs: {words}",
                remedy="Check that an endpoint of this chain allows eth_getLogs over the blocks asked for.",
                chain=self.profile.chain_key,
            )
        return self._logs(answer)

    def _times(self, logs: Iterable[parse.Log]) -> dict[int, int]:
        """Return the times of the blocks whose logs carry none."""
        numbers = sorted({log.block_number for log in logs if log.block_at_ms is None})
        answers = self._ask(
            {str(number): ("eth_getBlockByNumber", [hex(number), False]) for number in numbers}
        )
        blocks = (parse.attempt(parse.block_ref, answer) for answer in answers.values())
        return {block.number: block.at_ms for block in blocks if block is not None}

    # -- the price of the native coin -----------------------------------------------------

    def _known_stable_pools(self) -> tuple[_StablePool, ...]:
        """Return the pools of wrapped coin and stables, looked up again now and then."""
        with self._stable_lock:
            now = time.monotonic()
            is_due = self._stable_checked_at is None or now - self._stable_checked_at > STABLE_POOLS_RECHECK_S
            if is_due:
                self._stable_pools = self._find_stable_pools() or self._stable_pools
                # While there is none, a pool may appear any moment.
                self._stable_checked_at = now if self._stable_pools else None
            return self._stable_pools

    def _find_stable_pools(self) -> tuple[_StablePool, ...]:
        wrapped = self.profile.wrapped_native.address
        pairs = [
            (dex, stable, find)
            for dex in self._dexes.values()
            if not family_of(dex.kind).is_ranged  # these tell reserves, from which the price follows
            for stable in self.profile.stables
            for find in family_of(dex.kind).pool_calls(wrapped, stable.address)
        ]
        answers = self._ask(
            {
                str(number): facts.view(dex.factory, find, "latest")
                for number, (dex, _, find) in enumerate(pairs)
            }
        )
        pools: list[_StablePool] = []
        for number, (_, stable, _) in enumerate(pairs):
            address = _word(answers[str(number)], maximum=2**160 - 1)
            if address:
                pools.append(
                    _StablePool(
                        address=f"0x{address:040x}",
                        stable=stable,
                        stable_is_token0=int(stable.address, 16) < int(wrapped, 16),
                    )
                )
        return tuple(pools)

    def _quote_price(
        self, quote: Token, pools: Sequence[_StablePool], answers: Mapping[str, Any]
    ) -> int | None:
        if quote.address.lower() in (stable.address.lower() for stable in self.profile.stables):
            return USD_MICROS
        if quote.address.lower() != self.profile.wrapped_native.address.lower():
            return None
        return _native_price(pools, answers, self.profile.wrapped_native)


def _price_request(pool: _StablePool, block: str) -> Request:
    return facts.view(pool.address, abi.call(abi.GET_RESERVES), block)


def _native_price(pools: Sequence[_StablePool], answers: Mapping[str, Any], wrapped: Token) -> int | None:
    """Return the wrapped coin's price in the deepest of the stable pools, rounded down."""
    deepest, price = STABLE_DEPTH_MIN_USD_MICROS - 1, None
    for pool in pools:
        answer = answers[f"price:{pool.address}"]
        first, second = _word(answer), _word(answer, index=1)
        stable_raw, native_raw = (first, second) if pool.stable_is_token0 else (second, first)
        if not stable_raw or not native_raw:
            continue
        depth = stable_raw * USD_MICROS // 10**pool.stable.decimals
        if depth > deepest:
            deepest = depth
            price = stable_raw * USD_MICROS * 10**wrapped.decimals // (10**pool.stable.decimals * native_raw)
    return price


def _metadata(address: str, answers: Sequence[Any]) -> TokenMetadata:
    name_data, symbol_data, decimals_data, supply_data = (_returned(answer) for answer in answers)
    name, name_faults = token_text(name_data, part="name", chars_max=NAME_CHARS_MAX)
    symbol, symbol_faults = token_text(symbol_data, part="symbol", chars_max=SYMBOL_CHARS_MAX)
    decimals, decimals_faults = token_decimals(decimals_data)
    supply = (
        None
        if supply_data is None or len(supply_data) < abi.WORD_BYTES
        else parse.word(supply_data, 0, "supply")
    )
    supply_faults = ("supply_unreadable",) if supply is None else ()
    return TokenMetadata(
        address=abi.checksum(address),
        name=name,
        symbol=symbol,
        decimals=decimals,
        total_supply_raw=supply,
        faults=(*name_faults, *symbol_faults, *decimals_faults, *supply_faults),
    )


def _returned(answer: Any) -> bytes | None:
    """Return a view's data, None when the contract refused. Raises NetworkError when the node did."""
    if isinstance(answer, RpcFault):
        if facts.is_refusal(answer):
            return None
        raise NetworkError(f"The node did not read the contract: {answer.message}")
    return parse.attempt(parse.hex_data, answer, "return data")


def _word(answer: Any, *, index: int = 0, maximum: int = UINT256_MAX) -> int | None:
    """Return a word of return data, None when there is none."""
    if isinstance(answer, RpcFault):
        return None
    data = parse.attempt(parse.hex_data, answer, "return data")
    return None if data is None else parse.attempt(parse.word, data, index, "return data", maximum=maximum)


def _activity_chunks(
    listings: Sequence[Listing], first_block: int, last_block: int
) -> Iterable[tuple[Sequence[Listing], int, int]]:
    for start in range(0, len(listings), LOG_ADDRESSES_MAX):
        chunk = listings[start : start + LOG_ADDRESSES_MAX]
        for low in range(first_block, last_block + 1, facts.LOG_BLOCKS_MAX):
            yield chunk, low, min(last_block, low + facts.LOG_BLOCKS_MAX - 1)
