"""Candles from prices after blocks."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from decimal import Decimal

CANDLES_MAX = 240
#: Widths a candle may have, seconds.
_WIDTHS_S = (1, 5, 15, 30, 60, 300, 900, 3_600, 14_400, 86_400)


@dataclass(frozen=True, slots=True, kw_only=True)
class Candle:
    """Prices within one width. ``time_s`` is its start, epoch seconds."""

    time_s: int
    open: Decimal
    high: Decimal
    low: Decimal
    close: Decimal


def candle_width_s(first_s: int, last_s: int) -> int:
    """Return the narrowest width that shows the span in at most CANDLES_MAX candles."""
    span = max(0, last_s - first_s)
    return next((width for width in _WIDTHS_S if span // width < CANDLES_MAX), _WIDTHS_S[-1])


def candles(prices: Sequence[tuple[int, Decimal]], *, width_s: int) -> tuple[Candle, ...]:
    """Return candles of (epoch seconds, price) in the order of time. Each opens where the last one closed."""
    result: list[Candle] = []
    for at_s, price in prices:
        start = at_s - at_s % width_s
        last = result[-1] if result else None
        if last is not None and last.time_s == start:
            result[-1] = Candle(
                time_s=start,
                open=last.open,
                high=max(last.high, price),
                low=min(last.low, price),
                close=price,
            )
            continue
        opened = price if last is None else last.close
        result.append(
            Candle(time_s=start, open=opened, high=max(opened, price), low=min(opened, price), close=price)
        )
    return tuple(result[-CANDLES_MAX:])
