"""Uniswap V4: pools without contracts of their own, all in one pool manager. Which exist, and their state.

A pool is its id: the hash of its two currencies, fee, tick spacing and hooks. A currency of zero is the chain's own coin.
Pools with hooks run somebody's code at every trade, so they are refused unless a person has named the hook as harmless.
The arithmetic is Uniswap V3's; the state is read out of the manager's own storage. Source: Uniswap v4 whitepaper, and the
layout of its published contracts (Pool.State, StateLibrary).
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from functools import lru_cache
from typing import Any

from eth_utils.crypto import keccak

from apps.chains.evm import abi, parse
from apps.chains.evm.client import EvmClient, RpcFault
from apps.chains.evm.dex import uniswap_v3
from apps.chains.evm.dex.concentrated_liquidity import (
    PIPS_ONE,
    SQRT_PRICE_MAX,
    SQRT_PRICE_MIN,
    TICK_MAX,
    amount0_between,
    amount1_between,
    sqrt_price_at,
)
from apps.chains.evm.dex.pair_source import FactoryPairSource
from apps.chains.evm.jsonrpc import Request
from apps.domain.concentrated import ConcentratedLiquidity
from apps.domain.errors import BadDataError
from apps.domain.ids import ChainKey
from apps.domain.market import ChainEvent, DexProfile

TOPIC_INITIALIZE = abi.topic("Initialize(bytes32,address,address,uint24,int24,address,uint160,int24)")
TOPIC_SWAP = abi.topic("Swap(bytes32,address,int128,int128,uint160,uint128,int24,uint24)")
TOPIC_MODIFY_LIQUIDITY = abi.topic("ModifyLiquidity(bytes32,address,int24,int24,int256,bytes32)")
EXTSLOAD = abi.selector("extsload(bytes32)")
NO_HOOKS = parse.ZERO_ADDRESS
#: Stands for the chain's own coin where a currency is asked for.
NATIVE_CURRENCY = parse.ZERO_ADDRESS
TICK_SPACING_MAX = 32_767
#: With this the fee is whatever a hook says.
DYNAMIC_FEE = 0x80_0000
#: The usual spacings of the usual fees, in pips; others are searched for.
USUAL_SPACINGS: Mapping[int, int] = {100: 1, 500: 10, 3_000: 60, 10_000: 200}
_POOLS_SLOT = 6
_LIQUIDITY, _TICKS, _BITMAP = 3, 4, 5
_PROTOCOL_FEE_BITS = 12
#: No contract may make the answer huge.
_VIEW_GAS = 1_000_000
Ask = Callable[[Mapping[str, Request]], dict[str, Any]]


@dataclass(frozen=True, slots=True, kw_only=True)
class PoolKey:
    """What makes a pool. Currencies ascend; addresses in any spelling, zero for the chain's own coin."""

    currency0: str
    currency1: str
    fee_pips: int
    tick_spacing: int
    hooks: str = NO_HOOKS

    def words(self) -> bytes:
        """Return the key as the contracts take it."""
        return (
            abi.address_word(self.currency0)
            + abi.address_word(self.currency1)
            + abi.word_of(self.fee_pips)
            + abi.word_of(self.tick_spacing)
            + abi.address_word(self.hooks)
        )

    @property
    def pool_id(self) -> str:
        """Return the pool's id, "0x…" in lower case."""
        return "0x" + bytes(keccak(self.words())).hex()


@lru_cache(maxsize=4_096)
def pool_key_of(pool_id: str, *, currency0: str, currency1: str, fee_pips: int) -> PoolKey | None:
    """Return the key of a pool without hooks whose id is known but not its spacing, None when none fits.

    The usual spacing is tried first; at most all that a pool may have.
    """
    usual = USUAL_SPACINGS.get(fee_pips, 1)
    for spacing in (usual, *range(1, TICK_SPACING_MAX + 1)):
        key = PoolKey(
            currency0=currency0, currency1=currency1, fee_pips=fee_pips, tick_spacing=spacing, hooks=NO_HOOKS
        )
        if key.pool_id == pool_id.lower():
            return key
    return None


# -- which pools exist ------------------------------------------------------------------------------


class UniswapV4PairSource(FactoryPairSource):
    """Reads the pools that were initialised in a manager, which stands as the deployment's factory.

    ``native`` is what the chain's own coin is called in events: its wrapped address. ``harmless_hooks`` (lower case) are
    those that a person has read; pools with others go to ``on_fault``.
    """

    topic = TOPIC_INITIALIZE

    def __init__(
        self,
        client: EvmClient,
        dex: DexProfile,
        *,
        native: str,
        harmless_hooks: frozenset[str] = frozenset(),
        on_fault: Callable[[BadDataError], None] | None = None,
    ) -> None:
        super().__init__(client, dex, on_fault=on_fault)
        self._native = native
        self._harmless_hooks = harmless_hooks

    def _event(self, log: parse.Log, times_ms: Mapping[int, int]) -> ChainEvent:
        return initialized(
            log,
            chain_key=self._dex.chain_key,
            dex_key=self._dex.dex_key,
            times_ms=times_ms,
            native=self._native,
            harmless_hooks=self._harmless_hooks,
        )


def key_of(log: parse.Log) -> PoolKey:
    """Return the key that an Initialize log tells. Raises BadDataError, also where the id is not that key's."""
    if len(log.topics) != 4 or log.topics[0] != TOPIC_INITIALIZE or len(log.data) != 5 * abi.WORD_BYTES:
        raise parse.bad_data("log has another shape than its event", (log.address, log.topics))
    first, second = (parse.word_address(bytes.fromhex(topic[2:]), 0, "currency") for topic in log.topics[2:])
    spacing = uniswap_v3.signed(parse.word(log.data, 1, "tick spacing"), 24)
    if not 0 < spacing <= TICK_SPACING_MAX:
        raise parse.bad_data("the pool's tick spacing is absurd", spacing)
    key = PoolKey(
        currency0=first,
        currency1=second,
        fee_pips=parse.word(log.data, 0, "pool fee", maximum=2**24 - 1),
        tick_spacing=spacing,
        hooks=parse.word_address(log.data, 2, "hooks"),
    )
    if key.pool_id != log.topics[1]:
        raise parse.bad_data("the pool's id is not that of its key", log.topics)
    return key


def initialized(
    log: parse.Log,
    *,
    chain_key: ChainKey,
    dex_key: str,
    times_ms: Mapping[int, int],
    native: str,
    harmless_hooks: frozenset[str] = frozenset(),
) -> ChainEvent:
    """Return the event of a manager's Initialize log; the pool's address is its id. Raises BadDataError.

    Pools with unknown hooks, with a fee that a hook sets, or with one that is no whole number of bps are refused.
    """
    key = key_of(log)
    if key.hooks != NO_HOOKS and key.hooks not in harmless_hooks:
        raise parse.bad_data("the pool runs code of others at every trade (a hook)", key.hooks)
    if key.fee_pips >= PIPS_ONE or key.fee_pips % uniswap_v3.PIPS_PER_BPS:
        raise parse.bad_data("the pool's fee is set by a hook or no whole number of bps", key.fee_pips)
    tokens = (
        native if currency == NATIVE_CURRENCY else currency for currency in (key.currency0, key.currency1)
    )
    token0, token1 = map(abi.checksum, tokens)
    return ChainEvent(
        chain_key=chain_key,
        dex_key=dex_key,
        kind="pair_created",
        pool_address=key.pool_id,
        token0=token0,
        token1=token1,
        block=log.block(times_ms),
        tx_hash=log.tx_hash,
        log_index=log.log_index,
        fee_bps=key.fee_pips // uniswap_v3.PIPS_PER_BPS,
    )


# -- the state of a pool ----------------------------------------------------------------------------


@dataclass(frozen=True, slots=True, kw_only=True)
class PoolState:
    """A pool at one block. ``liquidity`` has the pool's own fee; the protocol may take one more, by direction, in pips."""

    liquidity: ConcentratedLiquidity
    protocol_fee_pips: tuple[int, int]  # for token0 in, for token1 in

    def directed(self, *, zero_for_one: bool) -> ConcentratedLiquidity:
        """Return what quotes of one direction are made from: both fees in one, as the contract joins them."""
        extra = self.protocol_fee_pips[0 if zero_for_one else 1]
        own = self.liquidity.fee_pips
        return replace(self.liquidity, fee_pips=extra + own - extra * own // PIPS_ONE)


def swap_amounts(log: parse.Log) -> tuple[int, int]:
    """Return the token0 and token1 that a Swap brought into the pool, negative where they left it. Raises BadDataError.

    The event tells what the trader gained, so its signs are turned round.
    """
    parse.expect(log, TOPIC_SWAP, topics=3, words=6)
    amount0, amount1 = (uniswap_v3.signed(parse.word(log.data, index, "amount"), 128) for index in (0, 1))
    return -amount0, -amount1


def state_after(log: parse.Log, before: PoolState) -> PoolState:
    """Return the pool's state after a Swap: the same ticks, another price. Raises BadDataError."""
    swap_amounts(log)
    after = replace(
        before.liquidity,
        sqrt_price_x96=parse.word(log.data, 2, "price", maximum=SQRT_PRICE_MAX - 1),
        liquidity=parse.word(log.data, 3, "liquidity", maximum=uniswap_v3.UINT128_MAX),
        tick=uniswap_v3.signed(parse.word(log.data, 4, "tick"), 24),
    )
    return replace(before, liquidity=after)


def held_raw(pool: ConcentratedLiquidity) -> tuple[int, int]:
    """Return the token0 and token1 that lie in the known ranges, rounded down: the manager holds all pools' coins as one."""
    amount0, amount1 = 0, 0
    here, liquidity, price = pool.sqrt_price_x96, pool.liquidity, pool.sqrt_price_x96
    for tick, net in pool.ticks:
        if tick > pool.tick:
            edge = sqrt_price_at(tick)
            amount0 += amount0_between(price, edge, liquidity, up=False) if edge > price else 0
            price, liquidity = max(edge, price), liquidity + net
    price, liquidity = here, pool.liquidity
    for tick, net in reversed(pool.ticks):
        if tick <= pool.tick:
            edge = sqrt_price_at(tick)
            amount1 += amount1_between(edge, price, liquidity, up=False) if edge < price else 0
            price, liquidity = min(edge, price), liquidity - net
    return amount0, amount1


def pool_states(ask: Ask, manager: str, pools: Mapping[str, PoolKey], *, at: str) -> dict[str, PoolState]:
    """Return states by name out of keys by name, all at block ``at``; pools that have no price are absent.

    Three batches, however many pools. Raises NetworkError.
    """
    roots = {name: _root(key.pool_id) for name, key in pools.items()}
    answers = ask(
        {
            f"{name}/{part}": _slot(manager, root + part, at)
            for name, root in roots.items()
            for part in (0, _LIQUIDITY)
        }
    )
    bare: dict[str, PoolState] = {}
    for name, key in pools.items():
        state = parse.attempt(_state_of, key, answers[f"{name}/0"], answers[f"{name}/{_LIQUIDITY}"])
        if state is not None:
            bare[name] = state
    words = {
        name: {
            word: _mapped(word, roots[name] + _BITMAP) for word in uniswap_v3.words_around(state.liquidity)
        }
        for name, state in bare.items()
    }
    bitmaps = ask(
        {
            f"{name}/{word}": _slot(manager, slot, at)
            for name, slots in words.items()
            for word, slot in slots.items()
        }
    )
    found = {}
    for name, slots in words.items():
        told = {word: bitmaps[f"{name}/{word}"] for word in slots}
        ticks = parse.attempt(uniswap_v3.ticks_set, bare[name].liquidity, told)
        if ticks is not None:
            found[name] = ticks
    nets = ask(
        {
            f"{name}/{tick}": _slot(manager, _mapped(tick, roots[name] + _TICKS), at)
            for name, ticks in found.items()
            for tick in ticks
        }
    )
    states = {}
    for name, ticks in found.items():
        told = {tick: nets[f"{name}/{tick}"] for tick in ticks}
        state = parse.attempt(_with_ticks, bare[name], list(words[name]), told, ticks)
        if state is not None:
            states[name] = state
    return states


def _state_of(key: PoolKey, slot0: Any, liquidity: Any) -> PoolState:
    packed = _word(slot0, "slot0")
    price = packed & (1 << 160) - 1
    if not SQRT_PRICE_MIN <= price < SQRT_PRICE_MAX:
        raise parse.bad_data("the pool has no price yet", price)
    raw_tick = packed >> 160 & (1 << 24) - 1
    tick = raw_tick - (1 << 24) if raw_tick >> 23 else raw_tick
    if not -TICK_MAX <= tick <= TICK_MAX:
        raise parse.bad_data("the pool's tick is absurd", tick)
    mask = (1 << _PROTOCOL_FEE_BITS) - 1
    protocol = (packed >> 184 & mask, packed >> 184 + _PROTOCOL_FEE_BITS & mask)
    return PoolState(
        liquidity=ConcentratedLiquidity(
            sqrt_price_x96=price,
            tick=tick,
            liquidity=_word(liquidity, "liquidity") & uniswap_v3.UINT128_MAX,
            fee_pips=packed >> 208 & (1 << 24) - 1,
            tick_spacing=key.tick_spacing,
            ticks=(),
            known_from=tick,
            known_to=tick,
        ),
        protocol_fee_pips=protocol,
    )


def _with_ticks(
    state: PoolState, words: list[int], slots: Mapping[int, Any], ticks_set: tuple[int, ...]
) -> PoolState:
    """Return the state with its ticks; a tick's slot holds net above gross, which V3 gives as two words."""
    nets = {}
    for tick, answer in slots.items():
        upper = _word(answer, "tick") >> 128
        net = upper - (1 << 128) if upper >> 127 else upper
        nets[tick] = "0x" + (abi.word_of(0) + abi.word_of(uniswap_v3.unsigned(net))).hex()
    return replace(
        state,
        liquidity=uniswap_v3.with_ticks(state.liquidity, words=words, ticks=nets, ticks_set=ticks_set),
    )


def _root(pool_id: str) -> int:
    return int.from_bytes(keccak(bytes.fromhex(pool_id[2:]) + abi.word_of(_POOLS_SLOT)), "big")


def _mapped(key: int, slot: int) -> int:
    """Return where a mapping's value lies. Source: Solidity's documented storage layout."""
    return int.from_bytes(keccak(abi.word_of(uniswap_v3.unsigned(key)) + abi.word_of(slot)), "big")


def _slot(manager: str, slot: int, at: str) -> Request:
    data = "0x" + (EXTSLOAD + abi.word_of(slot & (1 << 256) - 1)).hex()
    return "eth_call", [{"to": manager, "data": data, "gas": hex(_VIEW_GAS)}, at]


def _word(answer: Any, what: str) -> int:
    if isinstance(answer, RpcFault):
        raise parse.bad_data(f"{what} was not told", answer.message)
    return parse.word(parse.hex_data(answer, what), 0, what)
