"""Locked liquidity as figures: how much, and until when more than a speck is free."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from apps.domain.config import TradingConfig
from apps.domain.estimate import Estimate
from apps.domain.verdict import Finding, Outcome
from apps.intelligence.logic.analyse import analyse
from apps.intelligence.logic.lockers import SPECK_BPS, estimates, first_end_s
from apps.risk.logic.judge import judge
from tests.intelligence.subjects import BARE, ETHER, FACTS, lock, subject

DAY_S = 86_400
TOTAL = 1_000 * ETHER
NOW_S = FACTS.block.at_ms // 1_000


def figures(**facts: Any) -> dict[str, Estimate]:
    return {item.code: item for item in estimates(subject(**facts))}


def hold(*, minimum_s: int = 7 * DAY_S, **facts: Any) -> Finding:
    config = TradingConfig.model_validate({"rules": {"lp_lock_min_s": minimum_s}})
    found = judge(analysis=analyse(subject(**facts)), config=config, config_revision=1)
    return next(item for item in found.findings if item.rule == "lp_removable")


def test_one_lock_then_share_and_seconds_left() -> None:
    found = figures()
    assert found["lp_locked_bps"].value == 3_500
    assert found["lp_locked_until_s"].value == 365 * DAY_S


def test_nothing_is_locked_then_no_time_is_stated() -> None:
    assert set(figures(lp_locked_raw=0, lp_locks=())) == {"lp_locked_bps"}


def test_nothing_could_be_read_then_unknown() -> None:
    assert figures(**BARE)["lp_locked_bps"].value is None


def test_several_locks_then_the_first_that_is_no_speck_counts() -> None:
    speck, real = lock(TOTAL * SPECK_BPS // 10_000, days=1), lock(340 * ETHER, days=90)
    late = lock(10 * ETHER, days=700)
    assert first_end_s((late, real, speck), total_raw=TOTAL) == NOW_S + 90 * DAY_S
    assert first_end_s((speck,), total_raw=TOTAL) == NOW_S + DAY_S
    assert first_end_s((), total_raw=TOTAL) is None


@given(st.lists(st.tuples(st.integers(0, 10**21), st.integers(0, 3_650)), min_size=1, max_size=10))
def test_any_locks_then_no_more_than_a_speck_is_free_before(given_locks: list[tuple[int, int]]) -> None:
    locks = tuple(lock(amount, days=days) for amount, days in given_locks)
    end_s = first_end_s(locks, total_raw=TOTAL)
    assert end_s is not None
    free = sum(item.amount_raw for item in locks if item.unlock_at_s < end_s)
    assert free * 10_000 <= TOTAL * SPECK_BPS


@pytest.mark.parametrize(("days", "outcome"), [(6, Outcome.FAIL), (7, Outcome.PASS)])
def test_lock_shorter_than_the_minimum_then_counts_as_free(days: int, outcome: Outcome) -> None:
    answer = hold(lp_locks=(lock(350 * ETHER, days=days),))
    assert answer.outcome is outcome
    if outcome is Outcome.FAIL:
        assert answer.code == "LIQUIDITY_LOCK_ENDS_SOON"
        assert "lp_removable_bps=4000" in answer.detail
        assert f"lp_locked_until_s={6 * DAY_S}" in answer.detail


def test_short_lock_that_is_not_needed_then_passes() -> None:
    burned = {"lp_burned_raw": 850 * ETHER, "lp_locked_raw": 100 * ETHER}
    assert hold(**burned, lp_locks=(lock(100 * ETHER, days=1),)).outcome is Outcome.PASS


def test_times_of_a_needed_lock_are_unknown_then_so_is_the_answer() -> None:
    answer = hold(lp_locks=None, missing={"lp_lock_times": "the node refuses: x"})
    assert (answer.outcome, answer.code) == (Outcome.UNKNOWN, "LIQUIDITY_LOCK_UNKNOWN")
    assert "the node refuses" in answer.explanation


def test_unverified_locker_holds_the_shares_then_neither_free_nor_locked() -> None:
    answer = hold(
        lp_locked_raw=0,
        lp_locks=(),
        lp_unverified_raw=350 * ETHER,
        missing={"lp_lock_times": "the code of X was never verified"},
    )
    assert (answer.outcome, answer.code) == (Outcome.UNKNOWN, "LIQUIDITY_HOLD_UNKNOWN")
    assert "3500 bps lie at a known locker, but the code of X was never verified" in answer.explanation


def test_longer_minimum_then_never_a_better_answer() -> None:
    order = {Outcome.PASS: 0, Outcome.UNKNOWN: 1, Outcome.FAIL: 2}
    facts = replace(FACTS, lp_locks=(lock(350 * ETHER, days=40),))
    answers = [
        order[hold(minimum_s=days * DAY_S, lp_locks=facts.lp_locks).outcome] for days in (1, 30, 41, 900)
    ]
    assert answers == sorted(answers)
