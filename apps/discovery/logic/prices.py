"""A pool's price from its reserves."""

from __future__ import annotations

from decimal import ROUND_HALF_EVEN, Context, Decimal, localcontext

from apps.domain.money import RATIO_CONTEXT, USD_MICROS, raw_to_units, value_usd_micros

#: Prices are for display and charts: 18 significant digits.
_DISPLAY = Context(prec=18, rounding=ROUND_HALF_EVEN)


def pool_price(*, base_raw: int, quote_raw: int, base_decimals: int, quote_decimals: int) -> Decimal | None:
    """Return whole quote tokens for one whole base token, or None for an empty pool."""
    if base_raw == 0 or quote_raw == 0:
        return None
    with localcontext(RATIO_CONTEXT):
        price = raw_to_units(quote_raw, quote_decimals) / raw_to_units(base_raw, base_decimals)
    return _DISPLAY.plus(price)


def price_in_usd(price: Decimal | None, quote_price_usd_micros: int | None) -> Decimal | None:
    """Return a price given in quote tokens in US dollars, or None when either is unknown."""
    if price is None or quote_price_usd_micros is None:
        return None
    with localcontext(RATIO_CONTEXT):
        value = price * quote_price_usd_micros / USD_MICROS
    return _DISPLAY.plus(value)


def pool_liquidity_usd_micros(
    *, quote_raw: int, quote_decimals: int, quote_price_usd_micros: int | None
) -> int | None:
    """Return what both sides of a pool are worth: twice its paying side, rounded down; None without a price."""
    if quote_price_usd_micros is None:
        return None
    return 2 * value_usd_micros(quote_raw, decimals=quote_decimals, price_usd_micros=quote_price_usd_micros)
