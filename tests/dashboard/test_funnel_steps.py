"""Why no trade: every pair is counted once, at the step after which it left."""

from __future__ import annotations

from itertools import pairwise

from hypothesis import given
from hypothesis import strategies as st

from apps.dashboard.logic.funnel import REASONS_MAX, Group, funnel


def group(status: str, stage: str = "", code: str = "", count: int = 1) -> Group:
    return Group(
        status=status, stage=stage, code=code, explanation=code and f"Because of {code}.", count=count
    )


def steps(*groups: Group, set_aside=(), bought=0, ended=None):
    result = funnel(set_aside=set_aside, groups=groups, bought=bought, orders_ended=ended or {})
    return {step.label: step for step in result}


def test_funnel_when_empty_then_all_zero():
    assert {step.count for step in steps().values()} == {0}


def test_refusals_leave_at_their_stage():
    result = steps(
        group("refused", "filter", "A", 5),
        group("refused", "risk", "B", 4),
        group("refused", "score", "C", 3),
        group("refused", "limit", "D", 2),
        group("refused", "engine", "E", 1),
        group("entered", count=6),
        set_aside=[("Paid in something else", 7, "Q")],
        bought=6,
    )
    assert [step.count for step in result.values()] == [28, 21, 16, 12, 9, 6, 6]
    assert result["Seen"].reasons == (("Paid in something else", 7, "Q"),)
    assert result["Passed filters"].reasons == (("Because of B", 4, "B"),)


def test_watched_pairs_are_counted_where_they_wait_and_said_so():
    result = steps(group("waiting", "risk", "B", 2), group("refused", "risk", "B", 3))
    assert result["Passed filters"].reasons == (
        ("Because of B", 5, "B"),
        ("of these are looked at again", 2, "WATCHED"),
    )


def test_pairs_that_nobody_looked_at_are_not_called_refused():
    result = steps(group("waiting", count=3), group("expired", count=2))
    assert set(result["Seen"].reasons) == {
        ("waiting for the first look", 3, "WAITING"),
        ("nobody looked in time", 2, "EXPIRED"),
    }


def test_orders_that_came_to_nothing_are_named():
    result = steps(group("entered", count=5), bought=2, ended={"reverted": 2})
    assert result["Ordered"].reasons == (
        ("order reverted", 2, "ORDER_REVERTED"),
        ("on the way", 1, "UNDER_WAY"),
    )
    assert result["Bought"].count == 2


def test_pairs_whose_order_came_to_nothing_were_ordered():
    result = steps(
        group("refused", "", "ORDER_REVERTED", 2), group("waiting", "", "ORDER_EXPIRED", 1), bought=0
    )
    assert result["Ordered"].count == 3
    assert result["Bought"].count == 0


def test_many_reasons_are_bounded_and_none_is_lost():
    result = steps(*(group("refused", "risk", f"R{n}", n + 1) for n in range(20)))
    reasons = result["Passed filters"].reasons
    assert len(reasons) == REASONS_MAX + 1
    assert sum(count for _, count, _ in reasons) == 210


_GROUPS = st.builds(
    group,
    st.sampled_from(["waiting", "evaluating", "refused", "expired", "quarantined", "entered"]),
    st.sampled_from(["", "filter", "risk", "score", "limit", "engine"]),
    st.sampled_from(["", "A", "B"]),
    st.integers(0, 50),
)


@given(st.lists(_GROUPS, max_size=12), st.integers(0, 20))
def test_every_pair_is_counted_exactly_once(groups, aside):
    entered = sum(item.count for item in groups if item.status == "entered")
    result = funnel(
        set_aside=[("x", aside, "X")] if aside else [], groups=groups, bought=entered, orders_ended={}
    )
    assert result[0].count == aside + sum(item.count for item in groups)
    assert result[-1].count == entered
    counts = [step.count for step in result]
    assert counts == sorted(counts, reverse=True)
    for before, after in pairwise(result[:-1]):
        left = sum(number for _, number, code in before.reasons if code != "WATCHED")
        assert before.count - left == after.count
