"""The rule behind the market's regime."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from apps.intelligence.logic.regime import (
    BARS_MIN,
    CONFIRMED_CLOSES,
    Label,
    Reading,
    Regime,
    VolatilityState,
    labels,
    readings,
)
from tests.intelligence.tapes import path


def reading(*, z: float = 0.0, efficiency: float = 0.5, ratio: float = 1.0, ewma: float = 1.0) -> Reading:
    return Reading(z=z, efficiency=efficiency, ratio=ratio, ewma_ratio=ewma, bar_deviation=0.03)


def regimes(*items: Reading) -> list[str]:
    return [label.regime.value for label in labels(items, bars_min=1)]


def test_market_when_it_rises_steadily_then_bull():
    assert labels(readings(path((300, 0.01, 0.01))))[-1].regime is Regime.BULL


def test_market_when_it_falls_steadily_then_bear():
    assert labels(readings(path((300, -0.01, 0.01))))[-1].regime is Regime.BEAR


def test_market_when_it_swings_much_more_than_before_without_direction_then_volatile():
    calm = [reading()] * 3
    wild = [reading(ratio=1.7)] * CONFIRMED_CLOSES
    assert regimes(*calm, *wild)[-1] == "volatile"
    # It stays so until it is clearly over.
    assert regimes(*calm, *wild, *[reading(ratio=1.4)] * 20)[-1] == "volatile"
    assert regimes(*calm, *wild, *[reading(ratio=1.2)] * CONFIRMED_CLOSES)[-1] == "crab"


def test_crash_when_it_is_volatile_too_then_bear():
    crash = [reading(z=-1.0, ratio=3.0)] * CONFIRMED_CLOSES
    assert regimes(*crash)[-1] == "bear"


def test_history_when_shorter_than_the_least_then_unknown():
    closes = path((BARS_MIN + 1, 0.004, 0.01))
    found = labels(readings(closes))
    assert {label.regime for label in found[: BARS_MIN - 1]} == {Regime.UNKNOWN}
    assert found[BARS_MIN - 1].regime is not Regime.UNKNOWN


def test_price_when_it_never_moved_then_unknown():
    assert labels(readings([100.0] * 300))[-1] == Label(
        regime=Regime.UNKNOWN, volatility=VolatilityState.UNKNOWN, reading=None
    )


@pytest.mark.parametrize("closes", range(1, CONFIRMED_CLOSES))
def test_label_when_too_few_closes_say_otherwise_then_it_stays(closes: int):
    bull = [reading(z=1.0)] * CONFIRMED_CLOSES
    assert regimes(*bull, *[reading(z=-1.0)] * closes, reading(z=1.0))[-1] == "bull"
    assert regimes(*bull, *[reading(z=-1.0)] * CONFIRMED_CLOSES)[-1] == "bear"


def test_direction_when_it_weakens_within_the_band_then_it_stays():
    bull = [reading(z=1.0)] * CONFIRMED_CLOSES
    assert regimes(*bull, *[reading(z=0.2, efficiency=0.0)] * 20)[-1] == "bull"
    assert regimes(*bull, *[reading(z=0.1)] * CONFIRMED_CLOSES)[-1] == "crab"


def test_direction_when_the_way_led_nowhere_then_none():
    assert regimes(*[reading(z=1.0, efficiency=0.1)] * 20)[-1] == "crab"


def test_volatility_state_when_far_from_usual_then_named():
    def state(ewma: float) -> VolatilityState:
        return labels([reading(ewma=ewma)] * CONFIRMED_CLOSES, bars_min=1)[-1].volatility

    assert [state(0.5), state(1.0), state(2.0)] == [
        VolatilityState.CALM,
        VolatilityState.NORMAL,
        VolatilityState.HIGH,
    ]


@settings(max_examples=20, deadline=None)
@given(cut=st.integers(min_value=200, max_value=399), seed=st.integers(0, 1_000))
def test_labels_when_later_bars_come_then_earlier_ones_stay(cut: int, seed: int):
    closes = path((200, 0.003, 0.02), (200, -0.004, 0.03), seed=seed)
    assert labels(readings(closes[:cut])) == labels(readings(closes))[:cut]


@settings(max_examples=20, deadline=None)
@given(scale=st.floats(min_value=1e-6, max_value=1e6))
def test_labels_when_the_price_is_in_another_unit_then_the_same(scale: float):
    closes = path((300, 0.002, 0.02))
    assert [item.regime for item in labels(readings(closes))] == [
        item.regime for item in labels(readings([close * scale for close in closes]))
    ]
