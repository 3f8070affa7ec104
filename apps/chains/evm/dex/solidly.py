"""The Solidly family (Aerodrome, Velodrome V2): a fee per pool that may change, and a router that takes routes.

Its arithmetic is in solidly_curves.py.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from itertools import pairwise
from typing import Any

from apps.chains.evm import abi, parse
from apps.chains.evm.dex.pair_source import FactoryPairSource
from apps.chains.evm.dex.router_swaps import RouterSwapBuilder
from apps.domain.ids import ChainKey
from apps.domain.market import BlockRef, ChainEvent, Listing, PoolReserves, PoolSwap
from apps.domain.money import BPS_ONE
from apps.domain.order import OrderIntent

TOPIC_POOL_CREATED = abi.topic("PoolCreated(address,address,bool,address,uint256)")
TOPIC_SYNC = abi.topic("Sync(uint256,uint256)")
TOPIC_SWAP = abi.topic("Swap(address,address,uint256,uint256,uint256,uint256)")
GET_FEE = abi.selector("getFee(address,bool)")
GET_POOL = abi.selector("getPool(address,address,bool)")
#: No factory of this family allows more than a few percent; a fee of everything is a lie.
FEE_MAX_BPS = BPS_ONE - 1
_ROUTE = "(address,address,bool,address)[]"
_BUY = abi.selector(f"swapExactETHForTokensSupportingFeeOnTransferTokens(uint256,{_ROUTE},address,uint256)")
_SELL = abi.selector(
    f"swapExactTokensForETHSupportingFeeOnTransferTokens(uint256,uint256,{_ROUTE},address,uint256)"
)


# -- which pools exist ------------------------------------------------------------------------------


class SolidlyPairSource(FactoryPairSource):
    """Reads the volatile pools that a factory created; stable ones hold no new tokens and are not asked for."""

    topic = TOPIC_POOL_CREATED

    @property
    def log_filter(self) -> dict[str, Any]:
        """Return address and topics to subscribe to: the third argument says that a pool is stable."""
        volatile = "0x" + abi.word_of(0).hex()
        return {"address": self._dex.factory, "topics": [self.topic, None, None, volatile]}

    def _event(self, log: parse.Log, times_ms: Mapping[int, int]) -> ChainEvent:
        return pool_created(log, chain_key=self._dex.chain_key, dex_key=self._dex.dex_key, times_ms=times_ms)


def pool_created(
    log: parse.Log, *, chain_key: ChainKey, dex_key: str, times_ms: Mapping[int, int]
) -> ChainEvent:
    """Return the event of a factory's PoolCreated log. Raises BadDataError, for a stable pool too."""
    if len(log.topics) != 4 or log.topics[0] != TOPIC_POOL_CREATED or len(log.data) != 2 * abi.WORD_BYTES:
        raise parse.bad_data("log has another shape than its event", (log.address, log.topics))
    first, second, stable = (bytes.fromhex(topic[2:]) for topic in log.topics[1:])
    if parse.word(stable, 0, "stable flag", maximum=1):
        raise parse.bad_data("a stable pool is not followed", log.tx_hash)
    return ChainEvent(
        chain_key=chain_key,
        dex_key=dex_key,
        kind="pair_created",
        pool_address=abi.checksum(parse.word_address(log.data, 0, "pool address")),
        token0=abi.checksum(parse.word_address(first, 0, "token0")),
        token1=abi.checksum(parse.word_address(second, 0, "token1")),
        block=log.block(times_ms),
        tx_hash=log.tx_hash,
        log_index=log.log_index,
    )


def pool_calls(first: str, second: str) -> tuple[str, ...]:
    """Return the calldata by which a factory names the volatile pool of two tokens."""
    return (abi.call(GET_POOL, first, second, 0),)


def fee_call(pool: str, *, is_stable: bool) -> str:
    """Return the calldata by which a factory tells a pool's fee in bps; it may change at any time."""
    return abi.call(GET_FEE, pool, int(is_stable))


def fee_of(answer: object) -> int:
    """Return a pool's fee in bps out of its factory's answer. Raises BadDataError."""
    return parse.word(parse.hex_data(answer, "pool fee"), 0, "pool fee", maximum=FEE_MAX_BPS)


def sync(log: parse.Log) -> tuple[int, int]:
    """Return the reserves of token0 and token1 after a pool's Sync. Raises BadDataError."""
    parse.expect(log, TOPIC_SYNC, topics=1, words=2)
    first, second = (parse.word(log.data, index, "reserve", maximum=parse.UINT112_MAX) for index in (0, 1))
    return first, second


def swap(log: parse.Log) -> parse.SwapLog:
    """Return a pool's Swap: Uniswap V2's figures under another topic. Raises BadDataError."""
    parse.expect(log, TOPIC_SWAP, topics=3, words=4)
    return parse.swap_figures(log)


def pool_reserves(
    log: parse.Log, listing: Listing, times_ms: Mapping[int, int], *, fee_bps: int | None
) -> PoolReserves:
    """Return a Sync as reserves seen from the listing's base token. Raises BadDataError."""
    return reserves_of(sync(log), listing=listing, block=log.block(times_ms), fee_bps=fee_bps)


def reserves_of(
    reserves: tuple[int, int], *, listing: Listing, block: BlockRef, fee_bps: int | None
) -> PoolReserves:
    """Return a volatile pool's reserves seen from the listing's base token; ``fee_bps`` None: the listing's."""
    base, quote = reserves if listing.base_is_token0 else reserves[::-1]
    return PoolReserves(
        pair_key=listing.pair_key,
        base_raw=base,
        quote_raw=quote,
        block=block,
        formula="solidly",
        fee_bps=fee_bps,
    )


def pool_swap(
    log: parse.Log, listing: Listing, *, seller: str | None, times_ms: Mapping[int, int]
) -> PoolSwap:
    """Return a Swap seen from the listing's base token. Raises BadDataError."""
    return parse.swap_seen(swap(log), log, listing, seller=seller, times_ms=times_ms)


# -- trading ----------------------------------------------------------------------------------------


class SolidlySwapBuilder(RouterSwapBuilder):
    """Builds swaps in volatile pools, of the router's kind that is safe for tokens that take a fee in transfers."""

    __slots__ = ()

    def calldata(self, intent: OrderIntent, *, recipient: str, deadline_s: int) -> bytes:
        """Return the router's buy with native coin or its sell for it."""
        build = buy_data if intent.side == "buy" else sell_data
        return build(
            factory=self.dex.factory,
            route=intent.route,
            amount_in_raw=intent.amount_in.raw,
            amount_out_min_raw=intent.amount_out_min.raw,
            recipient=recipient,
            deadline_s=deadline_s,
        )


def buy_data(
    *,
    factory: str,
    route: Sequence[str],
    amount_in_raw: int,
    amount_out_min_raw: int,
    recipient: str,
    deadline_s: int,
) -> bytes:
    """Return calldata of a buy with native coin; the coins go along as the transaction's value."""
    head = abi.word_of(amount_out_min_raw) + abi.word_of(4 * abi.WORD_BYTES)
    return _BUY + head + abi.address_word(recipient) + abi.word_of(deadline_s) + _routes(factory, route)


def sell_data(
    *,
    factory: str,
    route: Sequence[str],
    amount_in_raw: int,
    amount_out_min_raw: int,
    recipient: str,
    deadline_s: int,
) -> bytes:
    """Return calldata of a sell for native coin."""
    head = abi.word_of(amount_in_raw) + abi.word_of(amount_out_min_raw) + abi.word_of(5 * abi.WORD_BYTES)
    return _SELL + head + abi.address_word(recipient) + abi.word_of(deadline_s) + _routes(factory, route)


def _routes(factory: str, tokens: Sequence[str]) -> bytes:
    hops = [
        abi.address_word(sold)
        + abi.address_word(bought)
        + abi.word_of(0)  # volatile
        + abi.address_word(factory)
        for sold, bought in pairwise(tokens)
    ]
    return abi.word_of(len(hops)) + b"".join(hops)
