"""The shipped parameters give bounded probabilities, quickly, and say nothing when nothing is known."""

from __future__ import annotations

import json
import math
import time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from apps.domain.errors import BadDataError
from apps.risk.model.artefact import artefact_path, shipped_model
from apps.risk.model.model import model_from_json, model_to_json
from apps.risk.model.probability import logit, probability
from tests.risk.model_rows import rows

NAMES = ("path", "holdings")
VALUES = st.one_of(st.none(), st.floats(-1e6, 1e6))


def features_of(model, values):
    return dict(zip(model.inputs, values, strict=True))


def opinion_of(model, features):
    """Return the model's probability, which must be there."""
    found = model.probability(features)
    assert found is not None
    return found


def estimate_of(opinions, *, base_rate=0.8):
    """Return value and bounds of the estimate, which must be there."""
    found = probability(opinions, base_rate=base_rate, as_of_ms=0)
    assert found.value is not None
    assert found.low is not None
    assert found.high is not None
    return found.low, found.value, found.high


@pytest.mark.parametrize("name", NAMES)
def test_shipped_model_then_reads_back_byte_for_byte(name):
    text = artefact_path(name).read_text(encoding="utf-8")
    assert model_to_json(model_from_json(text)) == text


@pytest.mark.parametrize("name", NAMES)
@given(data=st.data())
def test_any_inputs_then_bounds_enclose_the_value(name, data):
    model = shipped_model(name)
    values = data.draw(st.lists(VALUES, min_size=len(model.inputs), max_size=len(model.inputs)))
    found = model.probability(features_of(model, values))
    if found is not None:
        assert 0 < found.low <= found.value <= found.high < 1
        assert 0 <= found.coverage <= 1


@pytest.mark.parametrize("name", NAMES)
def test_nothing_known_then_nothing_is_said(name):
    assert shipped_model(name).probability({}) is None


def test_path_model_then_its_inputs_are_those_that_the_features_give():
    given_names = set().union(*(row.features for row in rows(size=30)))
    assert set(shipped_model("path").inputs) <= given_names


def test_liquidity_held_by_the_maker_then_worse_than_locked():
    model = shipped_model("holdings")
    free = opinion_of(model, {"lp_creator_holding_ratio": 1.0, "lp_lock_ratio": 0.0})
    locked = opinion_of(model, {"lp_creator_holding_ratio": 0.0, "lp_lock_ratio": 1.0})
    assert locked.high < free.low


def test_fewer_inputs_known_then_bounds_are_wider_on_average():
    model = shipped_model("path")
    whole, partial = [], []
    for row in rows(size=60, seed=3):
        whole.append(model.probability(row.features))
        some = {name: value for at, (name, value) in enumerate(sorted(row.features.items())) if at % 2}
        partial.append(model.probability(some))
    assert mean_width(partial) > mean_width(whole)


def mean_width(found):
    """Return the mean width in log odds: next to 0 or 1 the same doubt is a narrow interval of probabilities."""
    widths = [logit(item.high) - logit(item.low) for item in found if item is not None]
    return sum(widths) / len(widths)


def test_no_model_has_an_opinion_then_the_estimate_is_unknown_with_a_reason():
    found = probability([(shipped_model(name), {}) for name in NAMES], base_rate=0.8, as_of_ms=5)
    assert found.value is None
    assert "too little is known" in found.reason_unknown


def test_models_disagree_then_the_bounds_hold_both():
    path, holdings = shipped_model("path"), shipped_model("holdings")
    launch = rows(size=5, seed=4)[0].features
    locked = {"lp_creator_holding_ratio": 0.0, "lp_lock_ratio": 1.0}
    low, _, high = estimate_of([(path, launch), (holdings, locked)])
    for opinion in ((path, launch), (holdings, locked)):
        alone_low, _, alone_high = estimate_of([opinion])
        assert low <= alone_low <= alone_high <= high


def test_higher_base_rate_then_higher_probability():
    opinion = [(shipped_model("path"), rows(size=5)[0].features)]
    (_, low, _), (_, high, _) = (estimate_of(opinion, base_rate=rate) for rate in (0.5, 0.9))
    assert low < high


@pytest.mark.parametrize(
    "change",
    [
        {"format": 99},
        {"members": []},
        {"members": [[[[[0, 1.0, 0, -1, 0]], [0.1, 0.2]]]]},  # a node that is its own child
        {"members": [[[[[9999, 1.0, -1, -2, 0]], [0.1, 0.2]]]]},  # an input that does not exist
        {"base_rate": "much"},
    ],
)
def test_parameters_are_damaged_then_error_with_remedy(change):
    fields = json.loads(artefact_path("holdings").read_text(encoding="utf-8"))
    with pytest.raises(BadDataError) as raised:
        model_from_json(json.dumps(fields | change))
    assert "train risk" in raised.value.remedy


def test_probability_then_takes_under_two_milliseconds():
    model, launch = shipped_model("path"), rows(size=3)[0].features
    assert best_ms(lambda: model.probability(launch)) < 2


def best_ms(act):
    def once():
        started = time.perf_counter()
        act()
        return (time.perf_counter() - started) * 1_000

    return min(once() for _ in range(20))


def test_features_of_a_launch_then_scored_the_same_each_time():
    launch = rows(size=3)[0].features
    model = shipped_model("path")
    assert model.probability(launch) == model.probability(dict(reversed(tuple(launch.items()))))
    assert not math.isnan(model.balanced(model.row(launch)))
