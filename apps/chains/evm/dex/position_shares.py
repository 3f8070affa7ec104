"""Whose coins a pool of ranged liquidity holds: each position is a token of the exchange's position manager.

Positions count by the quote coins that they hold at the price: a burned one of a hair's breadth has much of the pool's
own measure and little money. What no position accounts for, fees not yet taken included, can be taken out by somebody.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from apps.chains.evm import abi, parse
from apps.chains.evm.client import RpcFault
from apps.chains.evm.dex.concentrated_liquidity import (
    TICK_MAX,
    amount0_between,
    amount1_between,
    sqrt_price_at,
)
from apps.chains.evm.dex.pool_states import Ask
from apps.chains.evm.dex.uniswap_v3 import TOPIC_MINT, UINT128_MAX, signed
from apps.chains.evm.jsonrpc import Request
from apps.domain.concentrated import ConcentratedLiquidity
from apps.domain.errors import BadDataError
from apps.domain.market import Listing

_TOPIC_INCREASE = abi.topic("IncreaseLiquidity(uint256,uint128,uint256,uint256)")
_POSITION_MANAGER = abi.selector("positionManager()")
_OWNER_OF = abi.selector("ownerOf(uint256)")
_POSITIONS = abi.selector("positions(uint256)")
#: Positions that are looked at; what a pool with more of them holds beyond these counts as removable.
POSITIONS_MAX = 64
_VIEW_GAS = 500_000
_MINT_BLOCKS_MAX = 64


@dataclass(frozen=True, slots=True, kw_only=True)
class PoolShares:
    """Quote coins by the owner of their positions (lower case); ``total_raw`` is all that the pool holds.

    ``reason`` is "" when known.
    """

    total_raw: int
    by_owner: Mapping[str, int]
    reason: str = ""

    @classmethod
    def unknown(cls, reason: str) -> PoolShares:
        """Return shares of which nothing is known."""
        return cls(total_raw=0, by_owner={}, reason=reason)


def pool_shares(
    ask: Ask,
    listing: Listing,
    state: ConcentratedLiquidity,
    *,
    router: str,
    quote_held_raw: int,
    at: str,
    ranges: Sequence[tuple[int, int]],
) -> PoolShares:
    """Return who holds the pool's quote coins at block ``at``; three batches. ``ranges`` are the blocks since its creation.

    The position manager is the one that the exchange's router names: any other contract could say whatever it likes.
    Raises NetworkError.
    """
    requests: dict[str, Request] = {
        f"mints:{number}": _logs(listing.pool_address, TOPIC_MINT, low, high)
        for number, (low, high) in enumerate(ranges)
    }
    requests["manager"] = _view(router, abi.call(_POSITION_MANAGER), at)
    answers = ask(requests)
    manager = answers.pop("manager")
    if isinstance(manager, RpcFault):
        return PoolShares.unknown("the exchange's router names no position manager")
    try:
        address = parse.word_address(parse.hex_data(manager, "position manager"), 0, "position manager")
        blocks = _blocks_of_mints(answers.values(), manager=address)
        increases = ask({str(number): _logs(address, _TOPIC_INCREASE, number, number) for number in blocks})
        tokens = _tokens_of(increases.values())
        found = ask(
            {
                f"{part}:{token}": _view(address, abi.call(selector, token), at)
                for token in tokens
                for part, selector in (("owner", _OWNER_OF), ("position", _POSITIONS))
            }
        )
        by_owner: dict[str, int] = {}
        for token in tokens:
            owner, coins = _holding(
                listing, state, owner=found[f"owner:{token}"], position=found[f"position:{token}"]
            )
            by_owner[owner] = by_owner.get(owner, 0) + coins
    except BadDataError as error:
        return PoolShares.unknown(str(error))
    by_owner.pop("", None)
    return PoolShares(total_raw=max(quote_held_raw, sum(by_owner.values())), by_owner=by_owner)


def _blocks_of_mints(answers: Any, *, manager: str) -> tuple[int, ...]:
    """Return the blocks in which the position manager added liquidity. Raises BadDataError."""
    blocks: dict[int, None] = {}
    for answer in answers:
        for entry in parse.items(answer, "logs of the pool", maximum=POSITIONS_MAX * 64):
            log = parse.log_of(entry)
            if len(log.topics) == 4 and log.topics[1][26:] == manager[2:]:
                blocks[log.block_number] = None
    return tuple(blocks)[:_MINT_BLOCKS_MAX]


def _tokens_of(answers: Any) -> tuple[int, ...]:
    """Return the positions to which liquidity was added, of this pool or another. Raises BadDataError."""
    tokens: dict[int, None] = {}
    for answer in answers:
        for entry in parse.items(answer, "logs of the position manager", maximum=5_000):
            log = parse.log_of(entry)
            if len(log.topics) == 2:
                tokens[int(log.topics[1], 16)] = None
    return tuple(tokens)[:POSITIONS_MAX]


def _holding(listing: Listing, state: ConcentratedLiquidity, *, owner: Any, position: Any) -> tuple[str, int]:
    """Return the owner (lower case) of a position and its quote coins; "" for one that is gone or of another pool."""
    if isinstance(owner, RpcFault) or isinstance(position, RpcFault):
        return "", 0
    data = parse.hex_data(position, "position")
    tokens = tuple(parse.word_address(data, index, "position token") for index in (2, 3))
    first, second = (listing.base, listing.quote) if listing.base_is_token0 else (listing.quote, listing.base)
    fee = parse.word(data, 4, "position fee")
    if (*tokens, fee) != (first.address.lower(), second.address.lower(), state.fee_pips):
        return "", 0
    lower, upper = (signed(parse.word(data, index, "position tick"), 24) for index in (5, 6))
    liquidity = parse.word(data, 7, "position liquidity", maximum=UINT128_MAX)
    if not -TICK_MAX <= lower < upper <= TICK_MAX:
        raise parse.bad_data("a position's range is absurd", (lower, upper))
    holder = parse.word_address(parse.hex_data(owner, "owner"), 0, "owner")
    return holder, _quote_coins(state, lower, upper, liquidity, quote_is_token0=not listing.base_is_token0)


def _quote_coins(
    state: ConcentratedLiquidity, lower: int, upper: int, liquidity: int, *, quote_is_token0: bool
) -> int:
    """Return the quote coins in a range at the pool's price, rounded down."""
    low, high = sqrt_price_at(lower), sqrt_price_at(upper)
    price = min(max(state.sqrt_price_x96, low), high)
    if quote_is_token0:
        return amount0_between(price, high, liquidity, up=False)
    return amount1_between(low, price, liquidity, up=False)


def _logs(address: str, topic: str, low: int, high: int) -> Request:
    criteria = {"address": address, "topics": [topic], "fromBlock": hex(low), "toBlock": hex(high)}
    return "eth_getLogs", [criteria]


def _view(to: str, data: str, at: str) -> Request:
    return "eth_call", [{"to": to, "data": data, "gas": hex(_VIEW_GAS)}, at]
