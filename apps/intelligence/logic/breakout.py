"""How likely a price breaks out of its range: the chance that a driftless random walk reaches the level in time.

Corrections by the range's width were measured (`manage.py evaluate regime`) and did not beat the formula: it stands alone.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

from apps.intelligence.logic.volatility import RETURNS_MIN, ewma_deviations, log_returns

#: The level is the highest price of so many bars; the chance is that of the next HORIZON_BARS.
RANGE_BARS, HORIZON_BARS = 20, 5
#: Bars whose returns count for the deviation; older ones weigh nothing.
_DEVIATION_BARS = 180


@dataclass(frozen=True, slots=True, kw_only=True)
class Breakout:
    """The chance that the next bars go above ``level``."""

    level: float
    probability: float


def breakout(closes: Sequence[float], highs: Sequence[float]) -> Breakout | None:
    """Return the chance that the next bars go above the range's high; None below RANGE_BARS bars or without movement.

    Source: reflection principle, P(max over H >= R) = 2 * Phi(-ln(R / P) / (sigma * sqrt(H))).
    """
    assert len(closes) == len(highs), (len(closes), len(highs))
    if len(closes) < max(RANGE_BARS, RETURNS_MIN + 1):
        return None
    sigma = ewma_deviations(log_returns(closes[-_DEVIATION_BARS:]))[-1]
    if not sigma:
        return None
    level = max(highs[-RANGE_BARS:])
    return Breakout(
        level=level,
        probability=first_passage(price=closes[-1], level=level, deviation_bar=sigma, bars=HORIZON_BARS),
    )


def first_passage(*, price: float, level: float, deviation_bar: float, bars: int) -> float:
    """Return the chance that a driftless walk from ``price`` touches ``level`` above it within ``bars``; 1 at or below."""
    if level <= price:
        return 1.0
    distance = math.log(level / price) / (deviation_bar * math.sqrt(bars))
    return math.erfc(distance / math.sqrt(2))  # twice the normal tail
