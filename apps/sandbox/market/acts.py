"""What an actor does in a block. The driver turns acts into signed transactions."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

Verb = Literal[
    "deploy",
    "add_liquidity",
    "give",  # tokens to holders and insiders, in one transaction
    "burn_shares",
    "lock_shares",
    "renounce",
    "buy",
    "sell",
    "remove_liquidity",
    "open_pool",  # of a token that cannot be traded at all
    "call",  # of the token's owner
    "mint_and_sell",
    "grab_and_sell",  # the pool's own tokens
]
Truth = Literal["created", "rugged", "shut"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Act:
    """``bps`` is the part of what the actor holds (sells, removals), ``native_wei`` what it spends (buys)."""

    verb: Verb
    actor: str
    native_wei: int = 0
    bps: int = 10_000
    truth: Truth | None = None  # what becomes true once it is mined


@dataclass(frozen=True, slots=True, kw_only=True)
class Pool:
    """What actors see of a pool before they act. Sold-out is an empty pool."""

    native_wei: int
    token_raw: int
    first_price_native_wei: int  # the reserves right after the first liquidity
    first_price_token_raw: int
    holders: tuple[str, ...]  # crew members that bought, in order of their first buy
