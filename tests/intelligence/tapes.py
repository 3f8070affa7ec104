"""Price paths for tests of the regime: seeded, with a drift that changes where a test says so."""

from __future__ import annotations

import math
import random
from collections.abc import Sequence
from decimal import Decimal

from apps.domain.candle import Candle, Interval

DAY_MS = Interval.DAY.duration_ms
START_MS = 1_700_006_400_000  # a midnight


def path(*legs: tuple[int, float, float], seed: int = 7, start: float = 100.0) -> list[float]:
    """Return closes: legs of ``(bars, drift a bar, deviation a bar)`` in log price."""
    chance = random.Random(seed)
    price, closes = start, []
    for bars, drift, spread in legs:
        for _ in range(bars):
            price *= math.exp(drift + chance.gauss(0, spread))
            closes.append(price)
    return closes


def candles(
    closes: Sequence[float],
    *,
    market: str = "ETH",
    interval: Interval = Interval.DAY,
    start_ms: int = START_MS,
) -> list[Candle]:
    """Return candles of these closes, one after another."""
    found = []
    before = closes[0]
    for number, close in enumerate(closes):
        low, high = sorted((before, close))
        found.append(
            Candle(
                market=market,
                interval=interval,
                opened_at_ms=start_ms + number * interval.duration_ms,
                open=Decimal(f"{before:.8f}"),
                high=Decimal(f"{high:.8f}"),
                low=Decimal(f"{low:.8f}"),
                close=Decimal(f"{close:.8f}"),
                volume=Decimal(1_000),
                source="tape",
            )
        )
        before = close
    return found
