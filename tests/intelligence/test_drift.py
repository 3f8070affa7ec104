"""Whether a model is still believed."""

from __future__ import annotations

import random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from apps.intelligence.logic.drift import (
    RESOLVED_MIN,
    Resolved,
    brier_of_frequency,
    has_drifted,
    health_of,
    reliability,
)

ROWS = st.lists(st.builds(Resolved, st.floats(0, 1), st.booleans()), max_size=300)


def predictions(count: int, *, skill: float, seed: int = 1) -> list[Resolved]:
    """Return predictions of events at even odds: right by ``skill``, -1 always wrong, 0 blind, 1 always right."""
    chance = random.Random(seed)
    rows = []
    for _ in range(count):
        happened = chance.random() < 0.5
        rows.append(Resolved(0.5 + skill * (0.4 if happened else -0.4), happened))
    return rows


def test_model_when_it_is_right_then_believed_with_its_skill():
    health = health_of(predictions(RESOLVED_MIN, skill=1.0))
    assert health.is_trusted
    assert health.skill == pytest.approx(1 - 0.01 / 0.25, abs=0.01)


def test_model_when_it_is_worse_than_the_frequency_then_given_up_with_the_reason():
    health = health_of(predictions(RESOLVED_MIN, skill=-0.5))
    assert not health.is_trusted
    assert health.reason.startswith("over the newest 200 tokens with a known end its error was 0.49")


def test_model_when_too_few_ends_are_known_then_it_stays_as_it_is():
    few = predictions(RESOLVED_MIN - 1, skill=-1.0)
    assert health_of(few).is_trusted
    assert health_of(few).skill is None
    assert not health_of(few, was_trusted=False).is_trusted
    assert not health_of([], was_trusted=False).is_trusted


def test_model_when_given_up_then_believed_again_only_with_clear_skill():
    # Each is right in a different measure; the frequency alone has none.
    assert not health_of(predictions(RESOLVED_MIN, skill=0.01), was_trusted=False).is_trusted
    assert health_of(predictions(RESOLVED_MIN, skill=0.5), was_trusted=False).is_trusted


def test_model_when_only_its_past_was_bad_then_the_newest_count():
    rows = predictions(500, skill=-1.0) + predictions(RESOLVED_MIN, skill=1.0)
    assert health_of(rows, was_trusted=False).is_trusted


def test_errors_when_they_rise_then_drift_and_when_they_only_vary_then_none():
    chance = random.Random(2)
    steady = [chance.random() * 0.4 for _ in range(600)]
    assert not has_drifted(steady)
    assert has_drifted([*steady[:300], *(value + 0.25 for value in steady[:150])])
    assert not has_drifted([])


@given(ROWS)
def test_reliability_then_every_prediction_is_counted_once_near_its_bin(rows: list[Resolved]):
    bins = reliability(rows)
    assert sum(item.count for item in bins) == len(rows)
    assert all(0 <= item.happened <= 1 for item in bins)
    assert [item.predicted for item in bins] == sorted(item.predicted for item in bins)


@given(ROWS.filter(bool))
def test_frequency_then_no_constant_errs_less(rows: list[Resolved]):
    best = brier_of_frequency(rows)
    for constant in (0.0, 0.3, 0.5, 0.9):
        assert best <= sum((constant - row.happened) ** 2 for row in rows) / len(rows) + 1e-9


@given(ROWS, st.booleans())
def test_health_then_it_never_fails_and_says_why_it_distrusts(rows: list[Resolved], was_trusted: bool):
    health = health_of(rows, was_trusted=was_trusted)
    assert health.is_trusted != bool(health.reason)
