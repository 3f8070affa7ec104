"""How sure a stated regime is, and what two opinions make of each other."""

from __future__ import annotations

import random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from apps.intelligence.logic import persistence
from apps.intelligence.logic.persistence import DIRECTED, UNDIRECTED, confidence, curves_from_json, stated
from apps.intelligence.logic.regime import CONFIRMED_CLOSES, Label, Regime, VolatilityState
from apps.intelligence.services.regime_parameters import shipped_curves
from tests.intelligence.test_regime_rule import reading


def label(regime: Regime, z: float, *, pending: int = 0) -> Label:
    return Label(regime=regime, volatility=VolatilityState.NORMAL, reading=reading(z=z), pending=pending)


def test_regime_when_the_second_opinion_contradicts_then_unknown():
    assert stated(label(Regime.BULL, 1.0), is_rising=True) is Regime.BULL
    assert stated(label(Regime.BULL, 1.0), is_rising=False) is Regime.UNKNOWN
    assert stated(label(Regime.BEAR, -1.0), is_rising=None) is Regime.UNKNOWN
    assert stated(label(Regime.CRAB, 0.0), is_rising=False) is Regime.CRAB


def test_confidence_when_unknown_then_none():
    curves = shipped_curves()
    assert confidence(label(Regime.BULL, 1.0), is_rising=False, curves=curves) is None
    assert confidence(label(Regime.BULL, 1.0), is_rising=True, curves={}) is None


def test_confidence_when_closes_speak_against_it_then_lower_with_each():
    curves = shipped_curves()
    found = [
        confidence(label(Regime.BEAR, -0.10, pending=closes), is_rising=False, curves=curves)
        for closes in range(CONFIRMED_CLOSES)
    ]
    values = [value for value in found if value is not None]
    assert len(values) == CONFIRMED_CLOSES
    assert values == sorted(values, reverse=True)
    assert values[0] == pytest.approx(persistence.CONFIDENCE_MAX, abs=0.02)
    assert values[-1] < 0.5


def test_curve_when_fitted_then_it_is_the_frequency_and_rises():
    chance = random.Random(3)
    rows = []
    for _ in range(4_000):
        margin = chance.uniform(-1, 1)
        rows.append((DIRECTED, margin, chance.random() < 0.5 + margin / 3))
    curve = persistence.fit(rows)[DIRECTED]
    assert list(curve.values) == sorted(curve.values)
    assert curve.at(0.0) == pytest.approx(0.5, abs=0.08)
    assert curve.at(0.9) == pytest.approx(0.8, abs=0.08)


@given(
    rows=st.lists(
        st.tuples(st.sampled_from((DIRECTED, UNDIRECTED)), st.floats(-3, 3), st.booleans()), max_size=300
    )
)
def test_curves_when_fitted_on_anything_then_rising_shares(rows):
    for curve in persistence.fit(rows).values():
        assert curve.days >= persistence.DAYS_MIN
        assert list(curve.starts) == sorted(curve.starts)
        assert list(curve.values) == sorted(curve.values)
        assert all(0 <= value <= 1 for value in curve.values)


def test_observations_when_the_regime_becomes_unknown_then_it_did_not_stand():
    bulls = [label(Regime.BULL, 1.0)] * 8
    found = persistence.observations(bulls, [True] * 5 + [False] * 3)
    assert [item and item[2] for item in found] == [True, True, False, False, False]


@pytest.mark.parametrize(
    "wrong",
    [
        {"directed": {"starts": [0.0], "values": [1.5], "days": 9}},
        {"directed": {"starts": [0.0, -1.0], "values": [0.1, 0.2], "days": 9}},
        {"directed": {"starts": [], "values": [], "days": 9}},
    ],
)
def test_parameters_when_senseless_then_refused(wrong):
    with pytest.raises(ValueError, match="directed"):
        curves_from_json(wrong)
