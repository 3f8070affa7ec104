"""Does a pool's price rise steadily and on more money? Pure; over a pool's own recorded reserves."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from apps.domain.money import BPS_ONE

#: Fewer states of a pool say nothing about where it goes.
POINTS_LEAST = 4
#: The price must stand so near to the highest of the window: what has turned already is no momentum.
NEAR_HIGH_BPS = 9_000


@dataclass(frozen=True, slots=True, kw_only=True)
class PoolPoint:
    """A pool's reserves after one block; both above zero."""

    base_raw: int
    quote_raw: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Momentum:
    """How a pool moved over a window, in basis points of its beginning. Rounded down."""

    rise_bps: int  # of the price
    inflow_bps: int  # of the quote reserve


def momentum(points: Sequence[PoolPoint], *, rise_min_bps: int) -> Momentum | None:
    """Return how a pool rose over these points, oldest first; None when it did not rise so much, or has turned.

    A price that rises while coins leave the pool is somebody taking liquidity out, so the quote reserve must have grown.
    """
    if len(points) < POINTS_LEAST or any(item.base_raw <= 0 or item.quote_raw <= 0 for item in points):
        return None
    first, last = points[0], points[-1]
    high = max(points, key=lambda item: (item.quote_raw << 128) // item.base_raw)
    rise = last.quote_raw * first.base_raw * BPS_ONE // (last.base_raw * first.quote_raw) - BPS_ONE
    inflow = last.quote_raw * BPS_ONE // first.quote_raw - BPS_ONE
    of_high = last.quote_raw * high.base_raw * BPS_ONE // (last.base_raw * high.quote_raw)
    if rise < rise_min_bps or inflow <= 0 or of_high < NEAR_HIGH_BPS:
        return None
    return Momentum(rise_bps=rise, inflow_bps=inflow)
