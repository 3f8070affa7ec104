"""Uniswap V3 and its kin (PancakeSwap V3, SushiSwap V3): which pools exist, their state, and how to trade with them.

Routers are those of SwapRouter02's interface, PancakeSwap's SmartRouter among them.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from typing import Any

from apps.chains.evm import abi, parse
from apps.chains.evm.dex.concentrated_liquidity import (
    PIPS_ONE,
    SQRT_PRICE_MAX,
    SQRT_PRICE_MIN,
    TICK_MAX,
    WORD_TICKS,
)
from apps.chains.evm.dex.pair_source import FactoryPairSource
from apps.chains.evm.dex.router_swaps import RouterSwapBuilder
from apps.domain.concentrated import ConcentratedLiquidity
from apps.domain.errors import TradingError
from apps.domain.ids import ChainKey
from apps.domain.market import BlockRef, ChainEvent, Listing, PoolReserves, PoolSwap
from apps.domain.order import OrderIntent

TOPIC_POOL_CREATED = abi.topic("PoolCreated(address,address,uint24,int24,address)")
TOPIC_SWAP = abi.topic("Swap(address,address,int256,int256,uint160,uint128,int24)")
#: PancakeSwap adds the protocol's fees of both tokens.
TOPIC_SWAP_PANCAKE = abi.topic("Swap(address,address,int256,int256,uint160,uint128,int24,uint128,uint128)")
SWAP_TOPICS = (TOPIC_SWAP, TOPIC_SWAP_PANCAKE)
TOPIC_MINT = abi.topic("Mint(address,address,int24,int24,uint128,uint256,uint256)")
TOPIC_BURN = abi.topic("Burn(address,int24,int24,uint128,uint256,uint256)")
#: Liquidity came or went: the pool must be read again.
LIQUIDITY_TOPICS = (TOPIC_MINT, TOPIC_BURN)
_SWAP_WORDS = {TOPIC_SWAP: 5, TOPIC_SWAP_PANCAKE: 7}

#: Exchanges of this protocol, by how their rows name it; PancakeSwap's differs in its Swap event alone.
KINDS = frozenset({"uniswap_v3", "pancake_v3"})

SLOT0 = abi.selector("slot0()")
LIQUIDITY = abi.selector("liquidity()")
TICK_SPACING = abi.selector("tickSpacing()")
FEE = abi.selector("fee()")
GET_POOL = abi.selector("getPool(address,address,uint24)")
#: The swap fees by which pools are looked for; factories may allow others, whose pools are found by their creation.
FEE_TIERS_PIPS = (100, 500, 2_500, 3_000, 10_000)
TICK_BITMAP = abi.selector("tickBitmap(int16)")
TICKS = abi.selector("ticks(int24)")
_EXACT_INPUT_SINGLE = abi.selector(
    "exactInputSingle((address,address,uint24,address,uint256,uint256,uint160))"
)
_EXACT_INPUT = abi.selector("exactInput((bytes,address,uint256,uint256))")
_MULTICALL = abi.selector("multicall(uint256,bytes[])")
_UNWRAP = abi.selector("unwrapWETH9(uint256,address)")
_SWEEP = abi.selector("sweepToken(address,uint256,address)")
_REFUND = abi.selector("refundETH()")
#: By this the router knows itself as the recipient.
_THE_ROUTER = "0x" + "00" * 19 + "02"

PIPS_PER_BPS = PIPS_ONE // 10_000
UINT128_MAX = 2**128 - 1
#: So far each way the ticks are read: a price 20 times higher or lower.
READ_TICKS = 30_000
#: Words of the bitmap read each way at most; where ticks lie close, the last price known is nearer.
READ_WORDS_MAX = 12
#: Initialised ticks that are read; a pool with more is known only as far as they reach.
READ_TICKS_MAX = 256


# -- which pools exist ------------------------------------------------------------------------------


class UniswapV3PairSource(FactoryPairSource):
    """Reads the pools that a factory created, each with its own fee. Implements ``ports.PairSource``."""

    topic = TOPIC_POOL_CREATED

    def _event(self, log: parse.Log, times_ms: Mapping[int, int]) -> ChainEvent:
        return pool_created(log, chain_key=self._dex.chain_key, dex_key=self._dex.dex_key, times_ms=times_ms)


def pool_created(
    log: parse.Log, *, chain_key: ChainKey, dex_key: str, times_ms: Mapping[int, int]
) -> ChainEvent:
    """Return the event of a factory's PoolCreated log, with the pool's own fee. Raises BadDataError."""
    if len(log.topics) != 4 or log.topics[0] != TOPIC_POOL_CREATED or len(log.data) != 2 * abi.WORD_BYTES:
        raise parse.bad_data("log has another shape than its event", (log.address, log.topics))
    first, second, fee = (bytes.fromhex(topic[2:]) for topic in log.topics[1:])
    fee_pips = parse.word(fee, 0, "pool fee", maximum=PIPS_ONE - 1)
    if fee_pips % PIPS_PER_BPS:
        raise parse.bad_data("the pool's fee is no whole number of bps", fee_pips)
    return ChainEvent(
        chain_key=chain_key,
        dex_key=dex_key,
        kind="pair_created",
        pool_address=abi.checksum(parse.word_address(log.data, 1, "pool address")),
        token0=abi.checksum(parse.word_address(first, 0, "token0")),
        token1=abi.checksum(parse.word_address(second, 0, "token1")),
        block=log.block(times_ms),
        tx_hash=log.tx_hash,
        log_index=log.log_index,
        fee_bps=fee_pips // PIPS_PER_BPS,
    )


def pool_calls(first: str, second: str) -> tuple[str, ...]:
    """Return the calldata by which a factory names the pools of two tokens, one for each usual fee."""
    return tuple(abi.call(GET_POOL, first, second, fee) for fee in FEE_TIERS_PIPS)


# -- the state of a pool ----------------------------------------------------------------------------


def signed(word: int, bits: int) -> int:
    """Return a word of return data as the signed number that it holds. Raises BadDataError when it is wider."""
    number = word - (1 << 256) if word >> 255 else word
    if not -(1 << bits - 1) <= number < 1 << bits - 1:
        raise parse.bad_data("a signed number is too wide", hex(word))
    return number


def unsigned(number: int) -> int:
    """Return a signed number as the word that stands for it."""
    return number & ((1 << 256) - 1)


def state_calls() -> dict[str, str]:
    """Return the calldata of what tells a pool's price, liquidity and make, by name."""
    return {
        "slot0": abi.call(SLOT0),
        "liquidity": abi.call(LIQUIDITY),
        "tick_spacing": abi.call(TICK_SPACING),
        "fee": abi.call(FEE),
    }


def state_of(answers: Mapping[str, Any]) -> ConcentratedLiquidity:
    """Return a pool's state of which no tick is known yet. Raises BadDataError, also for a pool without a price."""
    slot0 = parse.hex_data(answers["slot0"], "slot0")
    price = parse.word(slot0, 0, "price", maximum=SQRT_PRICE_MAX - 1)
    if price < SQRT_PRICE_MIN:
        raise parse.bad_data("the pool has no price yet", price)
    tick = signed(parse.word(slot0, 1, "tick"), 24)
    spacing = signed(_word(answers["tick_spacing"], "tick spacing"), 24)
    if not -TICK_MAX <= tick <= TICK_MAX or not 0 < spacing <= 16_384:
        raise parse.bad_data("the pool's tick or its spacing is absurd", (tick, spacing))
    return ConcentratedLiquidity(
        sqrt_price_x96=price,
        tick=tick,
        liquidity=_word(answers["liquidity"], "liquidity", maximum=UINT128_MAX),
        fee_pips=_word(answers["fee"], "fee", maximum=PIPS_ONE - 1),
        tick_spacing=spacing,
        ticks=(),
        known_from=tick,
        known_to=tick,
    )


def words_around(pool: ConcentratedLiquidity) -> range:
    """Return the bitmap's words that are worth reading."""
    here = pool.tick // pool.tick_spacing // WORD_TICKS
    most = TICK_MAX // pool.tick_spacing // WORD_TICKS + 1
    reach = min(-(-READ_TICKS // (pool.tick_spacing * WORD_TICKS)), READ_WORDS_MAX)
    return range(max(here - reach, -most), min(here + reach, most) + 1)


def bitmap_call(word: int) -> str:
    """Return the calldata that reads one word of a pool's bitmap."""
    return abi.call(TICK_BITMAP, unsigned(word))


def tick_call(tick: int) -> str:
    """Return the calldata that reads one tick."""
    return abi.call(TICKS, unsigned(tick))


def ticks_set(pool: ConcentratedLiquidity, words: Mapping[int, Any]) -> tuple[int, ...]:
    """Return the initialised ticks of the bitmap words that were read, nearest to the price first. Raises BadDataError."""
    found = []
    for number, answer in words.items():
        bits = _word(answer, "bitmap")
        while bits:
            low = bits & -bits
            found.append((number * WORD_TICKS + low.bit_length() - 1) * pool.tick_spacing)
            bits ^= low
    return tuple(sorted(found, key=lambda tick: (abs(tick - pool.tick), tick))[:READ_TICKS_MAX])


def with_ticks(
    pool: ConcentratedLiquidity, *, words: Iterable[int], ticks: Mapping[int, Any], ticks_set: Sequence[int]
) -> ConcentratedLiquidity:
    """Return the state with its ticks, known as far as they were read. Raises BadDataError."""
    span = pool.tick_spacing * WORD_TICKS
    numbers = sorted(words)
    known_from, known_to = numbers[0] * span, (numbers[-1] + 1) * span
    if len(ticks_set) >= READ_TICKS_MAX:  # beyond the farthest that was read there may be more
        reach = abs(ticks_set[-1] - pool.tick)
        known_from, known_to = max(known_from, pool.tick - reach), min(known_to, pool.tick + reach)
    net = []
    for tick in sorted(ticks_set):
        data = parse.hex_data(ticks[tick], "tick")
        net.append((tick, signed(parse.word(data, 1, "net liquidity"), 128)))
    return replace(pool, ticks=tuple(net), known_from=known_from, known_to=known_to)


def reserves_of(
    pool: ConcentratedLiquidity, *, listing: Listing, block: BlockRef, base_held_raw: int, quote_held_raw: int
) -> PoolReserves:
    """Return the pool as the road sees one: no deeper than the range in force, nor than the coins that it holds.

    A range that ends close to the price looks deep and is not: what it holds bounds it. Rounded down.
    """
    virtual0 = (pool.liquidity << 96) // pool.sqrt_price_x96
    virtual1 = pool.liquidity * pool.sqrt_price_x96 >> 96
    base, quote = (virtual0, virtual1) if listing.base_is_token0 else (virtual1, virtual0)
    if base <= 0 or quote <= 0:
        base = quote = 0
    elif quote > quote_held_raw:
        base, quote = base * quote_held_raw // quote, quote_held_raw
    if base > base_held_raw and base > 0:
        base, quote = base_held_raw, quote * base_held_raw // base
    return PoolReserves(
        pair_key=listing.pair_key,
        base_raw=base,
        quote_raw=quote,
        block=block,
        concentrated=pool,
        base_is_token0=listing.base_is_token0,
    )


def swap_amounts(log: parse.Log) -> tuple[int, int]:
    """Return the token0 and token1 that a Swap of either make brought into the pool, negative where they left it.

    Raises BadDataError.
    """
    words = _SWAP_WORDS.get(log.topics[0] if log.topics else "")
    if words is None or len(log.topics) != 3 or len(log.data) != words * abi.WORD_BYTES:
        raise parse.bad_data("log has another shape than its event", (log.address, log.topics))
    amount0, amount1 = (signed(parse.word(log.data, index, "amount"), 256) for index in (0, 1))
    return amount0, amount1


def state_after(log: parse.Log, before: ConcentratedLiquidity) -> ConcentratedLiquidity:
    """Return the pool's state after a Swap: the same ticks, another price. Raises BadDataError."""
    swap_amounts(log)
    return replace(
        before,
        sqrt_price_x96=parse.word(log.data, 2, "price", maximum=SQRT_PRICE_MAX - 1),
        liquidity=parse.word(log.data, 3, "liquidity", maximum=UINT128_MAX),
        tick=signed(parse.word(log.data, 4, "tick"), 24),
    )


def pool_swap(
    log: parse.Log, listing: Listing, *, seller: str | None, times_ms: Mapping[int, int]
) -> PoolSwap:
    """Return a Swap of either make seen from the listing's base token. Raises BadDataError."""
    amount0, amount1 = swap_amounts(log)
    base, quote = (amount0, amount1) if listing.base_is_token0 else (amount1, amount0)
    recipient = parse.word_address(bytes.fromhex(log.topics[2][2:]), 0, "recipient")
    buys = base < 0  # what is negative left the pool
    return PoolSwap(
        pair_key=listing.pair_key,
        side="buy" if buys else "sell",
        base_raw=abs(base),
        quote_raw=abs(quote),
        trader=abi.checksum(recipient if buys or seller is None else seller),
        tx_hash=log.tx_hash,
        log_index=log.log_index,
        block=log.block(times_ms),
    )


def _word(answer: Any, what: str, *, maximum: int = 2**256 - 1) -> int:
    return parse.word(parse.hex_data(answer, what), 0, what, maximum=maximum)


# -- trading ----------------------------------------------------------------------------------------


class UniswapV3SwapBuilder(RouterSwapBuilder):
    """Builds swaps of one pool, or of several one after the other.

    A buy goes through the router, which passes the tokens on only if no fewer than the least arrived: a tax that was
    raised after the quote makes it revert. Tokens that take a fee cannot be sold here: the pool wants the whole amount
    and reverts, which the round trip shows before any entry.
    """

    __slots__ = ()

    def calldata(self, intent: OrderIntent, *, recipient: str, deadline_s: int) -> bytes:
        """Return the swap and what follows it in one call. Raises TradingError where a pool's fee is not known."""
        fees = intent.hop_fees_bps or (() if intent.fee_bps is None else (intent.fee_bps,))
        if len(fees) != len(intent.route) - 1:
            raise TradingError(
                "A swap in ranged liquidity goes through pools whose fees are known.",
                remedy="Trade the pair itself; its fee stands on the pair's page.",
                order=intent.client_order_id,
            )
        build = buy_data if intent.side == "buy" else sell_data
        return build(
            route=intent.route,
            fees_pips=tuple(fee * PIPS_PER_BPS for fee in fees),
            amount_in_raw=intent.amount_in.raw,
            amount_out_min_raw=intent.amount_out_min.raw,
            recipient=recipient,
            deadline_s=deadline_s,
        )


def buy_data(
    *,
    route: Sequence[str],
    fees_pips: Sequence[int],
    amount_in_raw: int,
    amount_out_min_raw: int,
    recipient: str,
    deadline_s: int,
) -> bytes:
    """Return calldata of a buy with native coin; what the pool did not take comes back."""
    return _multicall(
        deadline_s,
        _exact_input(
            route, fees_pips=fees_pips, amount_in_raw=amount_in_raw, amount_out_min_raw=amount_out_min_raw
        ),
        _SWEEP + abi.address_word(route[-1]) + abi.word_of(amount_out_min_raw) + abi.address_word(recipient),
        _REFUND,
    )


def sell_data(
    *,
    route: Sequence[str],
    fees_pips: Sequence[int],
    amount_in_raw: int,
    amount_out_min_raw: int,
    recipient: str,
    deadline_s: int,
) -> bytes:
    """Return calldata of a sell for native coin."""
    return _multicall(
        deadline_s,
        _exact_input(
            route, fees_pips=fees_pips, amount_in_raw=amount_in_raw, amount_out_min_raw=amount_out_min_raw
        ),
        _UNWRAP + abi.word_of(amount_out_min_raw) + abi.address_word(recipient),
    )


def _exact_input(
    route: Sequence[str], *, fees_pips: Sequence[int], amount_in_raw: int, amount_out_min_raw: int
) -> bytes:
    """Return calldata of a swap whose output the router keeps for the call that follows."""
    assert len(fees_pips) == len(route) - 1 > 0, (route, fees_pips)
    if len(route) > 2:
        return _exact_input_path(
            route, fees_pips=fees_pips, amount_in_raw=amount_in_raw, amount_out_min_raw=amount_out_min_raw
        )
    [fee_pips] = fees_pips
    numbers = (amount_in_raw, amount_out_min_raw, 0)
    return (
        _EXACT_INPUT_SINGLE
        + abi.address_word(route[0])
        + abi.address_word(route[-1])
        + abi.word_of(fee_pips)
        + abi.address_word(_THE_ROUTER)
        + b"".join(map(abi.word_of, numbers))
    )


def _exact_input_path(
    route: Sequence[str], *, fees_pips: Sequence[int], amount_in_raw: int, amount_out_min_raw: int
) -> bytes:
    """Return calldata of a swap through several pools: tokens with the fees between them, packed."""
    hops = (
        fee.to_bytes(3, "big") + bytes.fromhex(token[2:])
        for fee, token in zip(fees_pips, route[1:], strict=True)
    )
    path = bytes.fromhex(route[0][2:]) + b"".join(hops)
    head = abi.word_of(abi.WORD_BYTES) + abi.word_of(4 * abi.WORD_BYTES) + abi.address_word(_THE_ROUTER)
    head += abi.word_of(amount_in_raw) + abi.word_of(amount_out_min_raw)
    return _EXACT_INPUT + head + abi.word_of(len(path)) + path + b"\0" * (-len(path) % abi.WORD_BYTES)


def _multicall(deadline_s: int, *calls: bytes) -> bytes:
    """Return calldata of several calls in one transaction, all or none of them."""
    offsets, bodies = [], []
    place = len(calls) * abi.WORD_BYTES
    for item in calls:
        padded = item + b"\0" * (-len(item) % abi.WORD_BYTES)
        offsets.append(abi.word_of(place))
        bodies.append(abi.word_of(len(item)) + padded)
        place += abi.WORD_BYTES + len(padded)
    head = abi.word_of(deadline_s) + abi.word_of(2 * abi.WORD_BYTES) + abi.word_of(len(calls))
    return _MULTICALL + head + b"".join(offsets) + b"".join(bodies)
