"""How much to buy: the smallest of several caps, each rounded down."""

from __future__ import annotations

from dataclasses import dataclass

from apps.domain.config import TradingConfig
from apps.domain.money import BPS_ONE, bps_of, raw_for_usd_micros, usd_to_micros


@dataclass(frozen=True, slots=True, kw_only=True)
class Size:
    """``amount_raw`` native units; ``bound_by`` names the cap that decided, ``caps`` are all of them in native units."""

    amount_raw: int
    bound_by: str
    caps: tuple[tuple[str, int], ...]


def entry_size(
    *,
    config: TradingConfig,
    quote_reserve_raw: int,
    quote_price_usd_micros: int,
    quote_decimals: int,
    wallet_native_raw: int,
    gas_reserve_raw: int,
    exposure_usd_micros: int,
    size_bps: int = BPS_ONE,
    more_caps: tuple[tuple[str, int], ...] = (),
) -> Size:
    """Return the size of an entry in native units.

    The price impact of a buy of d into a pool with quote reserve y is d / y, so the cap is c * y.
    ``gas_reserve_raw`` stays in the wallet: a position that cannot pay for its own sale is a loss. ``size_bps`` is what
    intelligence leaves of the caps that grow with wallet and pool; the highest cost in ``config`` is cut down already.
    """

    def raw_of(usd_micros: int) -> int:
        return raw_for_usd_micros(
            max(usd_micros, 0), decimals=quote_decimals, price_usd_micros=quote_price_usd_micros
        )

    def left(raw: int) -> int:
        return bps_of(raw, size_bps)

    caps = (
        ("position_max_usd", raw_of(usd_to_micros(config.limits.position_max_usd))),
        ("equity_share_max_bps", left(bps_of(wallet_native_raw, config.entry.equity_share_max_bps))),
        ("price_impact_max_bps", left(bps_of(quote_reserve_raw, config.rules.price_impact_max_bps))),
        ("exposure_max_usd", raw_of(usd_to_micros(config.limits.exposure_max_usd) - exposure_usd_micros)),
        ("wallet_balance", max(wallet_native_raw - gas_reserve_raw, 0)),
        *more_caps,
    )
    name, amount = min(caps, key=lambda cap: cap[1])
    return Size(amount_raw=amount, bound_by=name, caps=caps)
