"""The second opinion on the regime."""

from __future__ import annotations

from itertools import pairwise, product

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from apps.intelligence.logic import jump
from apps.intelligence.logic.volatility import log_returns
from tests.intelligence.tapes import path

TURNING = ((250, 0.006, 0.01), (250, -0.006, 0.03), (250, 0.006, 0.01))
points = st.lists(st.tuples(st.floats(-3, 3), st.floats(-3, 3)), min_size=1, max_size=9)


@settings(max_examples=100, deadline=None)
@given(found=points, penalty=st.floats(0, 5))
def test_cheapest_path_when_all_paths_are_tried_then_none_is_cheaper(found, penalty: float):
    centres = ((-1.0, 0.0), (1.0, 0.5))

    def cost(states) -> float:
        jumps = penalty * sum(before != after for before, after in pairwise(states))
        return jumps + sum(
            0.5 * sum((value - own) ** 2 for value, own in zip(point, centres[state], strict=True))
            for point, state in zip(found, states, strict=True)
        )

    least, states = jump.cheapest(found, centres, penalty=penalty)
    assert least == pytest.approx(min(cost(item) for item in product((0, 1), repeat=len(found))))
    assert cost(states) == pytest.approx(least)


def test_model_when_the_market_turned_then_it_knows_which_state_rises():
    closes = path(*TURNING)
    model = jump.fit(jump.inputs(closes), log_returns(closes))
    assert model is not None
    rising = model.path(jump.inputs(closes))
    assert rising[240] is True
    assert rising[480] is False
    assert rising[-1] is True
    assert sum(before != after for before, after in pairwise(rising)) <= 4


def test_model_when_fitted_twice_then_the_same():
    closes = path(*TURNING)
    fits = [jump.fit(jump.inputs(closes), log_returns(closes)) for _ in range(2)]
    assert fits[0] == fits[1]


def test_opinions_when_later_bars_come_then_earlier_ones_stay():
    closes = path(*TURNING)
    refits = [300, 420, 540]
    whole = jump.opinions(closes, refits=refits)
    assert whole[:300] == [None] * 300
    assert jump.opinions(closes[:500], refits=refits[:2]) == whole[:500]


@pytest.mark.parametrize("closes", [path((100, 0.0, 0.02)), [100.0] * 400])
def test_model_when_short_or_without_movement_then_none(closes):
    assert jump.fit(jump.inputs(closes), log_returns(closes)) is None
