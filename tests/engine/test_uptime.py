"""How long something was up: what is covered by signs of life, and no more."""

from __future__ import annotations

import itertools

from hypothesis import given
from hypothesis import strategies as st

from apps.engine.logic.uptime import KEPT_S, STRETCHES_MAX, Stretch, prolonged, uptime_bps


def test_uptime_when_it_was_away_for_a_tenth_then_so_much_is_missing():
    stretches: tuple[Stretch, ...] = ()
    for now_s in [*range(0, 450, 5), *range(550, 1_001, 5)]:
        stretches = prolonged(stretches, now_s=now_s, gap_max_s=30)
    assert stretches == ((0, 445), (550, 1_000))
    assert uptime_bps(stretches, now_s=1_000, window_s=1_000, gap_max_s=30) == 8_950
    assert uptime_bps(stretches, now_s=1_000, window_s=400, gap_max_s=30) == 10_000
    assert uptime_bps(stretches, now_s=2_000, window_s=1_000, gap_max_s=30) == 0


def test_uptime_when_nothing_is_known_then_none():
    assert uptime_bps((), now_s=100, window_s=50, gap_max_s=5) is None


@given(st.lists(st.integers(0, 2 * KEPT_S), min_size=1, max_size=60).map(sorted), st.integers(1, 2 * KEPT_S))
def test_uptime_when_signs_come_at_any_times_then_between_nothing_and_all(signs, window_s):
    stretches: tuple[Stretch, ...] = ()
    for now_s in signs:
        stretches = prolonged(stretches, now_s=now_s, gap_max_s=30)
        assert all(first <= last for first, last in stretches)
        assert all(before[1] < after[0] for before, after in itertools.pairwise(stretches))
        assert len(stretches) <= STRETCHES_MAX
    share = uptime_bps(stretches, now_s=signs[-1], window_s=window_s, gap_max_s=30)
    assert share is not None
    assert 0 <= share <= 10_000
