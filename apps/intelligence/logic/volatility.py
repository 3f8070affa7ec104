"""How much prices move: deviations of returns, and the average true range."""

from __future__ import annotations

import math
from collections.abc import Sequence
from itertools import pairwise

#: Weight of the past in the exponentially weighted variance. Source: RiskMetrics technical document, daily data.
EWMA_KEPT = 0.94
#: A deviation is known to about a quarter from eight returns and to a seventh from 25 (one by the root of twice as many).
RETURNS_MIN = 8
ATR_BARS = 14
_HOUR_MS = 3_600_000


def log_returns(closes: Sequence[float]) -> list[float]:
    """Return the logarithmic returns between successive closes, one less than there are closes."""
    return [math.log(after / before) for before, after in pairwise(closes)]


def deviation(values: Sequence[float]) -> float:
    """Return the sample standard deviation; of fewer than two values 0."""
    count = len(values)
    if count < 2:
        return 0.0
    mean = math.fsum(values) / count
    return math.sqrt(math.fsum((value - mean) ** 2 for value in values) / (count - 1))


def ewma_deviations(returns: Sequence[float], *, kept: float = EWMA_KEPT) -> list[float]:
    """Return the exponentially weighted deviation after each return, around zero.

    Weights are normalised, so that the first returns do not stand for more than they are.
    """
    found: list[float] = []
    total = weight = 0.0
    for value in returns:
        total = total * kept + value * value
        weight = weight * kept + 1.0
        found.append(math.sqrt(total / weight))
    return found


def hour_deviation(steps: Sequence[tuple[int, float]]) -> float | None:
    """Return the deviation of an hour's log price from irregular observations ``(at_ms, price)``, oldest first.

    Realised variance over the time that it covers, scaled to an hour. None below RETURNS_MIN moves or without time.
    """
    returns = log_returns([price for _, price in steps])
    if len(returns) < RETURNS_MIN or steps[-1][0] <= steps[0][0]:
        return None
    covered_ms = steps[-1][0] - steps[0][0]
    return math.sqrt(math.fsum(value * value for value in returns) * _HOUR_MS / covered_ms)


def average_true_range(bars: Sequence[tuple[float, float, float]], *, count: int = ATR_BARS) -> float | None:
    """Return the average true range of the last ``count`` bars ``(high, low, close)``, as a share of the last close.

    None with fewer than ``count + 1`` bars. Source: Wilder 1978, here as a plain mean.
    """
    if len(bars) < count + 1:
        return None
    ranges = []
    for (_, _, before), (high, low, _) in zip(bars[-count - 1 :], bars[-count:], strict=False):
        ranges.append(max(high - low, abs(high - before), abs(low - before)))
    return math.fsum(ranges) / count / bars[-1][2]
