"""A market as it stands: its regime, how sure that is, how much it moves, and what it may break out of."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from decimal import Decimal

from apps.domain.candle import Candle, Interval
from apps.intelligence.logic import jump, persistence
from apps.intelligence.logic.breakout import HORIZON_BARS, Breakout, breakout
from apps.intelligence.logic.regime import (
    BARS_MIN,
    Label,
    Regime,
    VolatilityState,
    labels,
    readings,
)
from apps.intelligence.logic.volatility import hour_deviation

#: Bars that count at most: the rule forgets within half a year, the second opinion learns from a few years.
BARS_MAX = 1_500
#: The second opinion is fitted anew on days whose number since 1970 is a multiple of this.
REFIT_DAYS = 30
#: A market is told from its newest candle for so long.
STALE_AFTER_DAYS = 3
#: Hourly candles that the deviation of an hour rests on.
HOURS_MAX = 168
_DAY_MS = Interval.DAY.duration_ms
_WORDS = {
    Regime.BULL: "rises",
    Regime.BEAR: "falls",
    Regime.CRAB: "goes sideways",
    Regime.VOLATILE: "swings without a direction",
}
_MOVES = {
    VolatilityState.CALM: "It moves less than usual.",
    VolatilityState.NORMAL: "It moves as much as usual.",
    VolatilityState.HIGH: "It moves much more than usual.",
    VolatilityState.UNKNOWN: "",
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Outlook:
    """What is known of one market after its newest daily candle. Shares are 0..1; None: unknown.

    ``regime`` is UNKNOWN with too little history, or where the second opinion contradicts the rule (``by_rule``).
    """

    market: str
    regime: Regime
    by_rule: Regime
    second_opinion: Regime  # BULL, BEAR or UNKNOWN
    confidence: Decimal  # how often such a regime stood three days later; 0 when unknown
    volatility_state: VolatilityState
    hour_deviation_bps: Decimal | None  # of one hour's price
    breakout_probability: Decimal | None  # that a high of the next 5 days tops that of the last 20
    breakout_level: Decimal | None  # in US dollars
    bars: int  # daily candles without a gap
    as_of_ms: int  # when the newest of them ended; 0 without any
    why: str


def outlook(
    *, market: str, days: Sequence[Candle], hours: Sequence[Candle], curves: persistence.Curves
) -> Outlook:
    """Return a market's outlook from its candles, oldest first. Candles before a gap do not count."""
    days = without_gaps(days)[-BARS_MAX:]
    hours = without_gaps(hours)[-HOURS_MAX:]
    if not days:
        return _empty(market)
    closes = [float(candle.close) for candle in days]
    label = labels(readings(closes))[-1]
    rising = jump.opinions(closes, refits=_last_refit(days))[-1] if len(days) >= BARS_MIN else None
    regime = persistence.stated(label, is_rising=rising)
    confidence = persistence.confidence(label, is_rising=rising, curves=curves)
    highs = [float(candle.close if candle.high is None else candle.high) for candle in days]
    level = breakout(closes, highs)
    second = Regime.UNKNOWN if rising is None else Regime.BULL if rising else Regime.BEAR
    deviation = hour_deviation([(candle.closed_at_ms, float(candle.close)) for candle in hours])
    return Outlook(
        market=market,
        regime=regime,
        by_rule=label.regime,
        second_opinion=second,
        confidence=Decimal(0) if confidence is None else Decimal(f"{confidence:.4f}"),
        volatility_state=label.volatility,
        hour_deviation_bps=None if deviation is None else Decimal(f"{deviation * 10_000:.1f}"),
        breakout_probability=None if level is None else Decimal(f"{level.probability:.4f}"),
        breakout_level=None if level is None else Decimal(f"{level.level:.8g}"),
        bars=len(days),
        as_of_ms=days[-1].closed_at_ms,
        why=_why(market, label, regime, second, confidence, len(days), level),
    )


def without_gaps(candles: Sequence[Candle]) -> Sequence[Candle]:
    """Return the newest candles that follow one another without a gap, oldest first."""
    first = len(candles) - 1
    while first > 0 and candles[first - 1].closed_at_ms == candles[first].opened_at_ms:
        first -= 1
    return candles[max(first, 0) :]


def _last_refit(days: Sequence[Candle]) -> list[int]:
    """Return the place of the newest bar at which the second opinion is fitted anew; the last one in a short history."""
    places = [
        at for at, candle in enumerate(days) if candle.opened_at_ms // _DAY_MS % REFIT_DAYS == 0 and at > 0
    ]
    enough = [at for at in places if at >= jump.WARM_UP + jump.FIT_MIN]
    return enough[-1:] or [len(days) - 1]


def _empty(market: str) -> Outlook:
    return Outlook(
        market=market,
        regime=Regime.UNKNOWN,
        by_rule=Regime.UNKNOWN,
        second_opinion=Regime.UNKNOWN,
        confidence=Decimal(0),
        volatility_state=VolatilityState.UNKNOWN,
        hour_deviation_bps=None,
        breakout_probability=None,
        breakout_level=None,
        bars=0,
        as_of_ms=0,
        why=f"Unknown: there are no daily candles of {market}.",
    )


def _why(
    market: str,
    label: Label,
    regime: Regime,
    second: Regime,
    confidence: float | None,
    bars: int,
    level: Breakout | None,
) -> str:
    """Return the outlook in words, made of its figures alone."""
    reading = label.reading
    if reading is None or label.regime is Regime.UNKNOWN:
        if bars < BARS_MIN:
            return f"Unknown: only {bars} daily candles of {market} in a row, {BARS_MIN} are needed."
        return f"Unknown: the price of {market} did not move."
    side = "above" if reading.z >= 0 else "below"
    stands = (
        f"its price stands {abs(reading.z):.1f} deviations {side} its 50-day mean,"
        f" {reading.efficiency * 100:.0f} % of its moves in 20 days added up"
    )
    if regime is Regime.UNKNOWN:
        opinion = "rises" if second is Regime.BULL else "falls" if second is Regime.BEAR else "is unclear"
        return (
            f"Unknown: by the rule {market} {_WORDS[label.regime]} ({stands}),"
            f" by the second opinion it {opinion}. {_MOVES[label.volatility]}"
        )
    words = f"{market} {_WORDS[regime]}: {stands}"
    words += "; the second opinion agrees." if regime.has_direction else "."
    words += f" {_MOVES[label.volatility]}"
    if confidence is not None:
        words += f" Such a state stood three days later in {confidence * 100:.0f} % of past cases."
    if level is not None:
        words += f" Chance of a new 20-day high within {HORIZON_BARS} days: {level.probability * 100:.0f} %."
    return words
