"""The rule that marks a window: it is neither shy nor jumpy, and says nothing where it knows nothing."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from apps.engine.logic.anomalies import SCORE_MAX, WINDOWS_MIN, judge


@pytest.mark.parametrize(
    ("earlier", "newest", "kind", "is_anomaly"),
    [
        ([20] * 12, 20, "count", False),
        ([20] * 12, 30, "count", False),  # a count of twenty wavers by its root
        ([20] * 12, 90, "count", True),
        ([20] * 12, 0, "count", True),
        ([0] * 12, 2, "count", False),
        ([0] * 12, 9, "count", True),
        ([18, 25, 20, 400, 22, 19, 24, 21, 17, 23], 60, "count", True),  # one wild window hides nothing
        ([100, 110, 95, 105, 98, 102, 107, 99], 125, "time", False),
        ([100, 110, 95, 105, 98, 102, 107, 99], 900, "time", True),
    ],
)
def test_window_when_judged_then_marked_only_if_unusual(earlier, newest, kind, is_anomaly):
    mark = judge(earlier, newest, kind=kind)
    assert mark is not None
    assert mark.is_anomaly is is_anomaly
    assert (mark.score > 0) is (newest > mark.usual)


def test_window_when_little_is_known_then_no_word():
    assert judge([5] * (WINDOWS_MIN - 1), 500, kind="count") is None
    assert judge([5, None] * (WINDOWS_MIN - 1), 500, kind="time") is None
    assert judge([5] * WINDOWS_MIN, None, kind="time") is None


@given(
    st.lists(st.integers(0, 10_000), min_size=WINDOWS_MIN, max_size=40),
    st.integers(0, 10_000),
    st.sampled_from(["count", "time"]),
)
def test_mark_when_the_figure_is_the_usual_one_then_never_an_anomaly(earlier, newest, kind):
    mark = judge(earlier, newest, kind=kind)
    assert mark is not None
    assert mark.is_anomaly == (abs(mark.score) > SCORE_MAX)
    at_median = judge(earlier, mark.usual, kind=kind)
    assert at_median is not None
    assert not at_median.is_anomaly
    assert judge(list(reversed(earlier)), newest, kind=kind) == mark
