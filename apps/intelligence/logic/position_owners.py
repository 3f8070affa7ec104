"""Whose liquidity a concentrated pool holds: each position is a token of its own, and its owner alone can take it out.

Adapters of such pools read the positions; this says what their owners mean. Only positions whose range holds the price
support a sale now; the others could be moved there, or away, and are told apart.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from apps.domain.money import BPS_ONE


@dataclass(frozen=True, slots=True, kw_only=True)
class LiquidityPosition:
    """One position. ``liquidity`` is the pool's own measure L; its range is ``tick_lower`` up to below ``tick_upper``.

    ``owner`` is the address that holds the position's token, in comparable form. ``locked_until_s`` is the unix time until
    which a locker holds it, None where the owner is no locker, or where its end is unknown.
    """

    owner: str
    liquidity: int
    tick_lower: int
    tick_upper: int
    locked_until_s: int | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class OwnedLiquidity:
    """Shares of the liquidity at the price, in bps; removable is rounded up, what holds is rounded down.

    ``creator_bps`` is the creator's side's part of the removable. ``out_of_range`` counts positions elsewhere.
    """

    removable_bps: int
    burned_bps: int
    locked_bps: int
    creator_bps: int
    positions: int
    out_of_range: int


def liquidity_owned(
    positions: Iterable[LiquidityPosition],
    *,
    tick: int,
    burned: frozenset[str],
    lockers: frozenset[str],
    insiders: frozenset[str],
    locked_beyond_s: int,
) -> OwnedLiquidity | None:
    """Return who can take out the liquidity at ``tick``; None when none lies there.

    ``burned`` are addresses that nobody has the keys of. A locker's position counts as locked when its end lies beyond
    ``locked_beyond_s``; one of unknown end is removable. Addresses are in comparable form.
    """
    here, elsewhere = [], 0
    for item in positions:
        assert item.liquidity >= 0, item.liquidity
        if item.tick_lower <= tick < item.tick_upper:
            here.append(item)
        else:
            elsewhere += 1
    whole = sum(item.liquidity for item in here)
    if whole == 0:
        return None
    gone = sum(item.liquidity for item in here if item.owner in burned)
    locked = sum(
        item.liquidity
        for item in here
        if item.owner in lockers - burned and (item.locked_until_s or 0) > locked_beyond_s
    )
    makers = sum(item.liquidity for item in here if item.owner in insiders - burned - lockers)
    return OwnedLiquidity(
        removable_bps=-(-(whole - gone - locked) * BPS_ONE // whole),
        burned_bps=gone * BPS_ONE // whole,
        locked_bps=locked * BPS_ONE // whole,
        creator_bps=-(-makers * BPS_ONE // whole),
        positions=len(here),
        out_of_range=elsewhere,
    )
