"""A market as it stands, and how much prices move."""

from __future__ import annotations

import math
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from apps.domain.candle import Interval
from apps.intelligence.evaluation.ohlcv import Bars
from apps.intelligence.evaluation.regime import walk
from apps.intelligence.logic.breakout import breakout, first_passage
from apps.intelligence.logic.outlook import outlook, without_gaps
from apps.intelligence.logic.regime import Regime, VolatilityState
from apps.intelligence.logic.volatility import average_true_range, hour_deviation
from apps.intelligence.services.regime_parameters import shipped_curves
from tests.intelligence.tapes import DAY_MS, candles, path

HOURS = candles(path((100, 0.0, 0.01)), interval=Interval.HOUR)
BULL = path((150, -0.003, 0.02), (250, 0.006, 0.012))


def test_outlook_when_the_market_rises_then_bull_with_reasons():
    found = outlook(market="ETH", days=candles(BULL), hours=HOURS, curves=shipped_curves())
    assert (found.regime, found.second_opinion) == (Regime.BULL, Regime.BULL)
    assert Decimal("0.5") < found.confidence <= Decimal("0.99")
    assert found.bars == 400
    assert found.hour_deviation_bps == pytest.approx(Decimal(100), abs=20)
    assert found.why.startswith("ETH rises: its price stands ")
    assert "the second opinion agrees" in found.why


def test_outlook_when_opinions_differ_then_unknown_and_it_says_so():
    # The fall is too short for the second opinion, which is slow to change.
    found = outlook(
        market="ETH",
        days=candles(BULL + path((16, -0.008, 0.002), start=BULL[-1])),
        hours=(),
        curves=shipped_curves(),
    )
    assert found.by_rule is Regime.BEAR
    assert found.second_opinion is Regime.BULL
    assert found.regime is Regime.UNKNOWN
    assert found.confidence == 0
    assert found.why.startswith("Unknown: by the rule ETH falls")


def test_outlook_when_candles_are_missing_then_only_those_after_the_gap_count():
    days = candles(BULL)
    found = outlook(market="ETH", days=days[:300] + days[301:], hours=(), curves=shipped_curves())
    assert found.bars == 99
    assert found.regime is Regime.UNKNOWN
    assert found.why == "Unknown: only 99 daily candles of ETH in a row, 250 are needed."


def test_outlook_when_day_follows_day_then_the_same_as_walking_forward():
    closes = BULL + path((120, -0.012, 0.015), start=BULL[-1], seed=8)
    days = candles(closes)
    bars = Bars(
        days=tuple(candle.opened_at_ms // DAY_MS for candle in days),
        highs=tuple(float(candle.high or 0) for candle in days),
        closes=tuple(float(candle.close) for candle in days),
    )
    walked = walk(bars)
    for count in range(290, 521, 23):
        found = outlook(market="ETH", days=days[:count], hours=(), curves={})
        assert found.regime is walked.stated[count - 1], count
        assert found.by_rule is walked.path[count - 1].regime


def test_outlook_when_there_is_nothing_then_unknown_and_nothing_invented():
    found = outlook(market="SOL", days=(), hours=(), curves={})
    assert found.regime is Regime.UNKNOWN
    assert found.volatility_state is VolatilityState.UNKNOWN
    assert found.hour_deviation_bps is found.breakout_probability is None
    assert "no daily candles" in found.why


@given(bars=st.integers(0, 320), hours=st.integers(0, 40), drop=st.sets(st.integers(0, 319), max_size=5))
def test_outlook_when_any_candles_are_missing_then_it_never_fails(bars: int, hours: int, drop: set[int]):
    days = [candle for number, candle in enumerate(candles(BULL)[:bars]) if number not in drop]
    found = outlook(market="ETH", days=days, hours=HOURS[:hours], curves={})
    assert found.confidence == 0
    assert found.why
    assert len(without_gaps(days)) == found.bars


def test_deviation_when_prices_are_observed_at_uneven_times_then_scaled_to_an_hour():
    prices = path((400, 0.0, 0.001))
    quick = [(number * 5_000, price) for number, price in enumerate(prices)]  # every five seconds
    assert hour_deviation(quick) == pytest.approx(0.001 * math.sqrt(720), rel=0.15)
    assert hour_deviation(quick[:8]) is None
    assert hour_deviation([(0, price) for price in prices]) is None


def test_true_range_when_bars_gap_then_the_gap_counts():
    steady = [(11.0, 9.0, 10.0)] * 15
    assert average_true_range(steady) == pytest.approx(0.2)
    assert average_true_range([*steady, (21.0, 19.0, 20.0)]) == pytest.approx((13 * 2 + 11) / 14 / 20)
    assert average_true_range(steady[:14]) is None


def test_first_passage_when_above_the_level_then_certain():
    assert first_passage(price=10, level=10, deviation_bar=0.1, bars=5) == 1
    # One deviation away: twice the normal tail.
    near = first_passage(price=1.0, level=math.exp(0.1), deviation_bar=0.1, bars=1)
    assert near == pytest.approx(2 * 0.158655, abs=1e-4)


@given(st.floats(0.001, 1), st.integers(1, 50))
def test_first_passage_when_further_away_then_less_likely(deviation: float, bars: int):
    chances = [
        first_passage(price=1.0, level=1 + step / 10, deviation_bar=deviation, bars=bars) for step in range(9)
    ]
    assert chances == sorted(chances, reverse=True)
    assert all(0 <= chance <= 1 for chance in chances)


def test_breakout_when_too_few_bars_or_no_movement_then_unknown():
    assert breakout([1.0] * 30, [1.0] * 30) is None
    assert breakout(BULL[:19], BULL[:19]) is None
    found = breakout(BULL, BULL)
    assert found is not None
    assert found.level == max(BULL[-20:])
