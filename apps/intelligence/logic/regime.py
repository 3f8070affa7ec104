"""In which regime a market is: rising, falling, going sideways, or swinging without a direction.

The rule was written down before any outcome was looked at. Its constants are those of a published comparison on daily
Bitcoin; only CONFIRMED_CLOSES was chosen here, from 1 to 5, by the number of changes a year on Bitcoin, Ether and
Solana alone, and never by what prices did afterwards. A direction goes before volatility: a crash stays a falling market.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from enum import Enum
from typing import Generic, TypeVar

from apps.intelligence.logic.volatility import deviation, ewma_deviations, log_returns

_T = TypeVar("_T")
#: Daily bars before anything is said.
BARS_MIN = 250
#: A token's own bars before anything is said of its regime.
TOKEN_BARS_MIN = 60
TREND_BARS, EFFICIENCY_BARS = 50, 20
QUICK_BARS, SLOW_BARS = 10, 180
#: Distance from the mean of 50 bars in deviations of 50 bars: above to enter a direction, below to leave it.
ENTER_Z, LEAVE_Z = 0.35, 0.15
#: Share of the way gone that was made good, to enter a direction (Kaufman's efficiency ratio).
ENTER_EFFICIENCY = 0.20
#: Deviation of 10 bars against that of 180: above to be volatile, below to be so no more.
ENTER_VOLATILE, LEAVE_VOLATILE = 1.6, 1.3
#: The volatility state: recent weighted deviation against that of 180 bars; twice for entering and leaving.
ENTER_CALM, LEAVE_CALM = 0.6, 0.75
#: So many closes in a row must say the same before the label changes.
CONFIRMED_CLOSES = 5


class Regime(Enum):
    """What a market does; UNKNOWN with too little history."""

    BULL = "bull"
    BEAR = "bear"
    CRAB = "crab"
    VOLATILE = "volatile"
    UNKNOWN = "unknown"

    @property
    def has_direction(self) -> bool:
        """Tell whether prices rise or fall."""
        return self in (Regime.BULL, Regime.BEAR)


class VolatilityState(Enum):
    """How much a market moves against its own last half year."""

    CALM = "calm"
    NORMAL = "normal"
    HIGH = "high"
    UNKNOWN = "unknown"


@dataclass(frozen=True, slots=True, kw_only=True)
class Reading:
    """What one bar and those before it say. ``z``, ``efficiency`` and ``ratio`` as in the rule's constants."""

    z: float
    efficiency: float  # 0..1
    ratio: float  # deviation of 10 bars over that of 180
    ewma_ratio: float  # weighted deviation over that of 180
    bar_deviation: float  # of the next bar's log return, weighted


@dataclass(frozen=True, slots=True, kw_only=True)
class Label:
    """The regime after one bar. ``pending`` closes in a row say something else already."""

    regime: Regime
    volatility: VolatilityState
    reading: Reading | None
    pending: int = 0

    @property
    def margin(self) -> float:
        """Return how far the market is from leaving its regime, in deviations; negative: beyond. 0 when unknown."""
        if self.reading is None:
            return 0.0
        if self.regime is Regime.BULL:
            return self.reading.z - LEAVE_Z
        if self.regime is Regime.BEAR:
            return -self.reading.z - LEAVE_Z
        return ENTER_Z - abs(self.reading.z)


def readings(closes: Sequence[float], *, slow_bars: int = SLOW_BARS) -> list[Reading | None]:
    """Return what each bar says, from itself and earlier bars alone; None until ``slow_bars`` returns are there.

    ``slow_bars`` is less than SLOW_BARS for tokens alone, which have no half year behind them.
    """
    assert slow_bars >= TREND_BARS, slow_bars
    returns = log_returns(closes)
    weighted = ewma_deviations(returns)
    found: list[Reading | None] = [None] * min(len(closes), slow_bars)
    return found + [
        _reading(closes, returns, weighted, at, slow_bars) for at in range(slow_bars, len(closes))
    ]


def _reading(
    closes: Sequence[float], returns: Sequence[float], weighted: Sequence[float], at: int, slow_bars: int
) -> Reading | None:
    """Return what the bar at ``at`` says; ``returns[at - 1]`` leads to it. None for a price that never moved."""
    mean = math.fsum(closes[at - TREND_BARS + 1 : at + 1]) / TREND_BARS
    trend_deviation = deviation(returns[at - TREND_BARS : at])
    slow = deviation(returns[at - slow_bars : at])
    way = math.fsum(
        abs(after - before)
        for before, after in zip(
            closes[at - EFFICIENCY_BARS : at], closes[at - EFFICIENCY_BARS + 1 : at + 1], strict=True
        )
    )
    if not trend_deviation or not slow or not way:
        return None
    return Reading(
        z=(closes[at] / mean - 1) / (trend_deviation * math.sqrt(TREND_BARS)),
        efficiency=abs(closes[at] - closes[at - EFFICIENCY_BARS]) / way,
        ratio=deviation(returns[at - QUICK_BARS : at]) / slow,
        ewma_ratio=weighted[at - 1] / slow,
        bar_deviation=weighted[at - 1],
    )


def labels(found: Sequence[Reading | None], *, bars_min: int = BARS_MIN) -> list[Label]:
    """Return the regime after each bar, each from itself and earlier bars alone; UNKNOWN before ``bars_min`` bars."""
    direction, volatile, state = (
        _Confirmed(Regime.CRAB),
        _Confirmed(Regime.CRAB),
        _Confirmed(VolatilityState.NORMAL),
    )
    path: list[Label] = []
    for number, reading in enumerate(found, start=1):
        if reading is None:
            path.append(Label(regime=Regime.UNKNOWN, volatility=VolatilityState.UNKNOWN, reading=None))
            continue
        direction.see(_direction(reading, direction.value))
        volatile.see(_volatile(reading, volatile.value))
        state.see(_state(reading, state.value))
        regime = direction.value if direction.value.has_direction else volatile.value
        path.append(
            Label(
                regime=regime if number >= bars_min else Regime.UNKNOWN,
                volatility=state.value,
                reading=reading,
                pending=max(direction.pending, 0 if direction.value.has_direction else volatile.pending),
            )
        )
    return path


class _Confirmed(Generic[_T]):
    """A value that changes only after CONFIRMED_CLOSES closes in a row wanted the same other one."""

    def __init__(self, value: _T) -> None:
        self.value = value
        self.pending = 0
        self._wanted = value

    def see(self, wanted: _T) -> None:
        if wanted == self.value:
            self.pending = 0
            return
        self.pending = self.pending + 1 if wanted == self._wanted and self.pending else 1
        self._wanted = wanted
        if self.pending >= CONFIRMED_CLOSES:
            self.value, self.pending = wanted, 0


def _direction(reading: Reading, now: Regime) -> Regime:
    if now is Regime.BULL and reading.z >= LEAVE_Z:
        return Regime.BULL
    if now is Regime.BEAR and reading.z <= -LEAVE_Z:
        return Regime.BEAR
    if abs(reading.z) > ENTER_Z and reading.efficiency > ENTER_EFFICIENCY:
        return Regime.BULL if reading.z > 0 else Regime.BEAR
    return Regime.CRAB


def _volatile(reading: Reading, now: Regime) -> Regime:
    limit = LEAVE_VOLATILE if now is Regime.VOLATILE else ENTER_VOLATILE
    return Regime.VOLATILE if reading.ratio > limit else Regime.CRAB


def _state(reading: Reading, now: VolatilityState) -> VolatilityState:
    if reading.ewma_ratio > (LEAVE_VOLATILE if now is VolatilityState.HIGH else ENTER_VOLATILE):
        return VolatilityState.HIGH
    if reading.ewma_ratio < (LEAVE_CALM if now is VolatilityState.CALM else ENTER_CALM):
        return VolatilityState.CALM
    return VolatilityState.NORMAL
