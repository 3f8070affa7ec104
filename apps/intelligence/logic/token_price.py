"""How a token's own price moves: deviation, true range and regime from what its pool was observed to hold.

A price that nobody touched did not move: minutes without a change repeat the one before.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from decimal import Decimal

from apps.domain.estimate import Estimate, known, unknown
from apps.domain.money import BPS_ONE
from apps.intelligence.logic.regime import TOKEN_BARS_MIN, TREND_BARS, Regime, labels, readings
from apps.intelligence.logic.volatility import ATR_BARS, average_true_range, log_returns

BAR_MS = 60_000
#: Bars that are looked at: two hours.
BARS_MAX = 120
#: A deviation is scaled to an hour only from so long a time, and from so many bars in which the price moved.
SPAN_MIN_MS, MOVES_MIN = 600_000, 8
#: No history of tokens was there to fit how long their regimes last: so little is believed until there is.
TOKEN_REGIME_CONFIDENCE = Decimal("0.25")
_HOUR_MS = 3_600_000
_SOURCE = "reserves"
_VALUES = {Regime.BULL: 1, Regime.BEAR: -1, Regime.CRAB: 0, Regime.VOLATILE: 0}

Step = tuple[int, int, int]  # at_ms, base_raw, quote_raw


def estimates(steps: Sequence[Step], *, now_ms: int) -> tuple[Estimate, ...]:
    """Return volatility_bps (of one hour's price), atr_bps (14 bars of a minute) and token_regime (-1, 0, 1).

    ``steps`` are the pool's reserves after each change, oldest first.
    """
    bars = minute_bars(steps, now_ms=now_ms)
    return (_volatility(bars, now_ms), _true_range(bars, now_ms), _regime(bars, now_ms))


def minute_bars(steps: Sequence[Step], *, now_ms: int) -> list[tuple[float, float, float]]:
    """Return ``(high, low, close)`` of each whole minute from the first observation on, the newest BARS_MAX at most."""
    prices = [
        (at_ms, quote / base) for at_ms, base, quote in steps if base > 0 and quote > 0 and at_ms <= now_ms
    ]
    if not prices:
        return []
    last = now_ms // BAR_MS - 1  # the minute that still runs is left out
    first = max(prices[0][0] // BAR_MS, last - BARS_MAX + 1)
    close = next((price for at_ms, price in reversed(prices) if at_ms < first * BAR_MS), prices[0][1])
    by_minute: dict[int, list[float]] = {}
    for at_ms, price in prices:
        by_minute.setdefault(at_ms // BAR_MS, []).append(price)
    bars = []
    for minute in range(first, last + 1):
        seen = [close, *by_minute.get(minute, ())]
        close = seen[-1]
        bars.append((max(seen), min(seen), close))
    return bars


def _volatility(bars: Sequence[tuple[float, float, float]], now_ms: int) -> Estimate:
    """Return the deviation of an hour's price, scaled by the root of time from minutes."""
    code = "volatility_bps"
    returns = log_returns([close for _, _, close in bars])
    moves = sum(value != 0 for value in returns)
    if len(returns) * BAR_MS < SPAN_MIN_MS:
        reason = f"its price was observed for {len(bars)} minutes, {SPAN_MIN_MS // BAR_MS} are needed"
        return unknown(code, reason, unit="bps", source=_SOURCE, as_of_ms=now_ms)
    if moves < MOVES_MIN:
        reason = f"its price moved in {moves} minutes, {MOVES_MIN} are needed"
        return unknown(code, reason, unit="bps", source=_SOURCE, as_of_ms=now_ms)
    variance = math.fsum(value * value for value in returns) / len(returns)
    deviation = math.sqrt(variance * _HOUR_MS / BAR_MS) * BPS_ONE
    error = min(1.96 / math.sqrt(2 * moves), 0.9)
    return known(
        code,
        Decimal(f"{deviation:.1f}"),
        unit="bps",
        source=_SOURCE,
        as_of_ms=now_ms,
        confidence=Decimal(
            f"{(1 - 1 / math.sqrt(2 * moves)) * min(len(returns) * BAR_MS / _HOUR_MS, 1):.3f}"
        ),
        n=moves,
        low=Decimal(f"{deviation * (1 - error):.1f}"),
        high=Decimal(f"{deviation * (1 + error):.1f}"),
    )


def _true_range(bars: Sequence[tuple[float, float, float]], now_ms: int) -> Estimate:
    found = average_true_range(bars)
    if found is None:
        reason = f"there are {len(bars)} bars of a minute, {ATR_BARS + 1} are needed"
        return unknown("atr_bps", reason, unit="bps", source=_SOURCE, as_of_ms=now_ms)
    return known(
        "atr_bps", Decimal(f"{found * BPS_ONE:.1f}"), unit="bps", source=_SOURCE, as_of_ms=now_ms, n=ATR_BARS
    )


def _regime(bars: Sequence[tuple[float, float, float]], now_ms: int) -> Estimate:
    if len(bars) < TOKEN_BARS_MIN:
        reason = f"there are {len(bars)} bars of a minute, {TOKEN_BARS_MIN} are needed"
        return unknown("token_regime", reason, unit="level", source=_SOURCE, as_of_ms=now_ms)
    slow = min(len(bars) - 1, max(len(bars) // 2, TREND_BARS))
    label = labels(readings([close for _, _, close in bars], slow_bars=slow), bars_min=TOKEN_BARS_MIN)[-1]
    if label.regime is Regime.UNKNOWN:
        return unknown(
            "token_regime", "its price did not move", unit="level", source=_SOURCE, as_of_ms=now_ms
        )
    return known(
        "token_regime",
        _VALUES[label.regime],
        unit="level",
        source=_SOURCE,
        as_of_ms=now_ms,
        confidence=TOKEN_REGIME_CONFIDENCE,
        n=len(bars),
        low=-1,
        high=1,
    )
