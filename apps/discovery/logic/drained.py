"""When a pool counts as dead.

Source: Chainalysis calls a token dead when its liquidity is 300 US dollars or less; a pool that has lost nine tenths of
the deepest it ever was has been drained, whatever it is worth.
"""

from __future__ import annotations

from enum import Enum

from apps.domain.money import BPS_ONE, USD_MICROS, value_usd_micros

#: A pool is drained when its paying side has fallen under this share of its peak.
DRAINED_BELOW_BPS = 1_000
#: And dead when both its sides together are worth this or less.
DEAD_LIQUIDITY_USD_MICROS = 300 * USD_MICROS


class PoolHealth(Enum):
    """What became of a pool."""

    ALIVE = "alive"
    DEAD = "dead"
    UNKNOWN = "unknown"


def pool_health(
    *,
    quote_raw: int | None,
    peak_quote_raw: int | None,
    quote_decimals: int | None,
    quote_price_usd_micros: int | None,
) -> PoolHealth:
    """Return what became of a pool with this paying side; never funded or never read is unknown."""
    if quote_raw is None or not peak_quote_raw:
        return PoolHealth.UNKNOWN
    if quote_raw * BPS_ONE < peak_quote_raw * DRAINED_BELOW_BPS:
        return PoolHealth.DEAD
    if quote_price_usd_micros is not None and quote_decimals is not None:
        side = value_usd_micros(quote_raw, decimals=quote_decimals, price_usd_micros=quote_price_usd_micros)
        if 2 * side <= DEAD_LIQUIDITY_USD_MICROS:
            return PoolHealth.DEAD
    return PoolHealth.ALIVE


def token_health(pools: tuple[PoolHealth, ...]) -> PoolHealth:
    """Return what became of a token with these pools: one that holds keeps it alive, one unread leaves it unknown."""
    if PoolHealth.ALIVE in pools:
        return PoolHealth.ALIVE
    if not pools or PoolHealth.UNKNOWN in pools:
        return PoolHealth.UNKNOWN
    return PoolHealth.DEAD
