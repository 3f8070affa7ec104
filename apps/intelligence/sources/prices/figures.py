"""Foreign figures of candles, checked."""

from __future__ import annotations

from decimal import Decimal, InvalidOperation
from typing import Any

from apps.domain.candle import Interval
from apps.domain.errors import BadDataError
from apps.intelligence.sources.prices.port import FIGURE_MAX

#: What is stored; further digits of a dollar price mean nothing.
_PLACES = Decimal("1E-12")
#: Times outside the years 2009 to 2100 are no times of a market.
_TIME_MIN_MS, _TIME_MAX_MS = 1_230_768_000_000, 4_102_444_800_000
_REMEDY = "Nothing of it was used; it is asked again by itself."


def price_of(given: Any, *, least: Decimal = _PLACES) -> Decimal:
    """Return a price or volume. Raises BadDataError for what is no number, below ``least`` or beyond every measure."""
    try:
        number = Decimal(given) if isinstance(given, (str, int, Decimal)) else Decimal("NaN")
    except InvalidOperation:
        number = Decimal("NaN")
    if isinstance(given, bool) or not number.is_finite() or not least <= number <= FIGURE_MAX:
        raise BadDataError("a candle has a figure that is no price", remedy=_REMEDY)
    return number.quantize(_PLACES)


def time_of(given: Any, interval: Interval) -> int:
    """Return when a candle opened. Raises BadDataError for what is no time or no beginning of its interval."""
    if type(given) is not int or not _TIME_MIN_MS <= given <= _TIME_MAX_MS or given % interval.duration_ms:
        raise BadDataError("a candle has a time that is no beginning of its interval", remedy=_REMEDY)
    return given
