"""What the seed has in store for one launch. A plan follows from seed, chain and number alone."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

LpFate = Literal["burn", "lock", "hold"]
Ending = Literal[
    "none",  # nobody does anything; the market decides
    "remove",  # the provider takes the liquidity out
    "dump",  # insiders sell all they have
    "mint_dump",  # the owner makes tokens and sells them
    "grab",  # the deployer takes buyers' tokens and sells them
    "shut",  # the owner ends selling
]


@dataclass(frozen=True, slots=True, kw_only=True)
class Who:
    """Stands for an account's address in a contract's arguments."""

    label: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Launch:
    """One launch. Times are seconds of the sandbox from the block of its deployment; shares are basis points."""

    number: int
    kind: str
    is_honest: bool
    is_unsellable: bool
    name: str
    symbol: str
    decimals: int
    supply_raw: int
    contract: str
    arguments: tuple[
        object, ...
    ]  # after (name, symbol, decimals, supply, router), or all where it opens no pool
    opens_pool: bool  # its constructor makes the pool; else the first liquidity does
    takes_liquidity: bool  # a token that answers nothing has an empty pool
    sells_for_blocks: int | None  # the code itself ends selling so many blocks after deployment
    deployer: str
    pool_share_bps: int  # of the supply
    liquidity_wei: int
    liquidity_after_s: float
    holders_raw: tuple[int, ...]  # given to accounts that stay passive
    insiders: tuple[tuple[str, int], ...]  # label and raw amount
    lp_fate: LpFate
    lp_fate_bps: int  # the part of the shares that it concerns
    lp_fate_after_s: float
    lock_s: int
    renounce_after_s: float | None
    ending: Ending
    ending_at_s: float
    ending_bps: int  # of what the ending is about
    ending_parts: int  # the ending comes in so many steps
    ending_every_s: float
    shut_call: tuple[str, tuple[object, ...]] | None
    path: tuple[tuple[float, float], ...]  # (seconds, ln of the fair price over the first price)
    trades_per_s: float  # at the beginning
    trades_half_life_s: float
    trade_share: float  # median size over the pool's native side
    trade_spread: float  # standard deviation of its logarithm
    lives_s: float  # afterwards nobody cares any more
    crew: tuple[str, ...]  # who may trade it
    whale: str | None
    washers: tuple[str, ...]
    wash_every_s: float
    pump: tuple[str, ...]  # a group that buys in one block and sells in another
    pump_at_s: float
    pump_sells_at_s: float
    venue: Literal["v2", "v3"] = "v2"  # which exchange its pool is opened at: product or ranges

    def fair_log(self, age_s: float) -> float:
        """Return where people see the price at this age, as a logarithm over the first price."""
        before = self.path[0]
        for knot in self.path:
            if knot[0] >= age_s:
                width = knot[0] - before[0]
                return (
                    knot[1] if width <= 0 else before[1] + (knot[1] - before[1]) * (age_s - before[0]) / width
                )
            before = knot
        return before[1]
