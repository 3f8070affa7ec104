"""Pools whose liquidity lies in ranges of the price: the Uniswap V3 family."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True, kw_only=True)
class ConcentratedLiquidity:
    """A pool's state at one block, as its contract keeps it; prices are of token0 in token1.

    ``sqrt_price_x96`` is the root of the price times 2^96, ``tick`` the pool's own, ``liquidity`` the measure L in force.
    ``ticks`` are the initialised ones of ``known_from`` <= tick < ``known_to`` with what crossing them upwards adds to L,
    ascending; what lies outside was not read. ``fee_pips`` is the swap fee in hundredths of a bps.
    """

    sqrt_price_x96: int
    tick: int
    liquidity: int
    fee_pips: int
    tick_spacing: int
    ticks: tuple[tuple[int, int], ...]
    known_from: int
    known_to: int
