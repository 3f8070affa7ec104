"""What the probability of loss looks at, and that it never looks ahead."""

from __future__ import annotations

import math
import time
from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from apps.risk.model.dataset import Pools, history_at
from apps.risk.model.features import features
from apps.risk.model.history import STEPS_MAX, LpShares, PoolHistory, ReserveStep
from tests.risk.model_rows import LOCKER, MAKER, MINTED, POOL, pool

HORIZON = 300
CUT = 100 + HORIZON


def _features_of(own):
    return features(history_at(own, HORIZON, same_maker=[own]))


def test_pool_with_a_future_then_features_do_not_see_it():
    plain = pool()
    planted = replace(
        plain,
        steps=[*plain.steps, (CUT + 1, 1e-9, 1e30), (CUT + 50_000, 500.0, 1.0)],
        transfers=[
            *MINTED,
            (CUT + 1, MAKER, POOL, 3e21),
            (CUT + 1, POOL, "0x" + "00" * 20, 3e21),
        ],
        outcome="drained",
        drain_block=CUT + 1,
    )
    assert _features_of(planted) == _features_of(plain)


def test_last_block_of_the_horizon_then_is_seen():
    plain = pool()
    later = replace(plain, steps=[*plain.steps, (CUT, 12.0, 0.84e24)])
    assert _features_of(later)["buys"] == _features_of(plain)["buys"] + 1


@given(
    future=st.lists(
        st.tuples(st.integers(CUT + 1, CUT + 10**6), st.floats(1e-12, 1e6), st.floats(1.0, 1e30)), max_size=20
    ),
    outcome=st.sampled_from(["drained", "alive"]),
)
def test_any_future_then_features_stay(future, outcome):
    plain = pool()
    planted = replace(plain, steps=[*plain.steps, *sorted(future)], outcome=outcome)
    assert _features_of(planted) == _features_of(plain)


def test_earlier_pool_drained_later_then_it_does_not_count_as_dead():
    early = pool(key="0x" + "cd" * 20, steps=((10, 5.0, 1e24), (CUT + 5, 1e-9, 1e30)))
    dead = pool(key="0x" + "ce" * 20, steps=((10, 5.0, 1e24), (50, 1e-9, 1e30)))
    later = pool(key="0x" + "cf" * 20, steps=((5_000, 5.0, 1e24),))
    found = features(history_at(pool(), HORIZON, same_maker=[early, dead, later, pool()]))
    assert (found["earlier_pools"], found["earlier_dead"]) == (2.0, 1.0)


def test_history_with_a_step_after_its_cut_then_is_refused():
    with pytest.raises(AssertionError, match="future"):
        PoolHistory(pool=POOL, cut_age_s=10.0, steps=[ReserveStep(1, 11.0, 1.0, 1.0)])


def test_pool_empty_before_the_horizon_then_is_not_judged():
    drained = pool(outcome="drained", drain_block=CUT)
    unclear = pool(key="0x" + "cd" * 20, outcome="ambiguous")
    judged = pool(key="0x" + "ce" * 20, outcome="drained", drain_block=CUT + 1)
    assert [row.key for row in Pools([drained, unclear, judged]).cut(HORIZON)] == [judged.key]


def test_buy_sell_add_and_removal_then_each_is_told_apart():
    steps = (
        (100, 10.0, 1e24),
        (101, 11.0, 0.91e24),
        (102, 10.0, 1.0e24),
        (103, 20.0, 2.0e24),
        (104, 5.0, 0.5e24),
    )
    found = _features_of(pool(steps=(*steps, (105, 5.0, 0.4e24))))
    counts = [found[name] for name in ("buys", "sells", "adds", "removals", "base_only_moves")]
    assert counts == [1.0, 1.0, 1.0, 1.0, 1.0]
    assert found["added"] == pytest.approx(1.0)
    assert found["removed"] == pytest.approx(1.5)


def test_liquidity_locked_then_its_share_and_time_are_seen():
    transfers = [*MINTED, (110, MAKER, LOCKER, 1.5e21)]
    found = _features_of(pool(transfers=transfers))
    assert found["lp_locked"] == pytest.approx(0.5, abs=1e-6)
    assert found["lp_maker"] == pytest.approx(0.5, abs=1e-6)
    assert found["lp_lock_after"] == pytest.approx(math.log1p(10 * 13.2))


def test_lp_transfers_unknown_then_balances_speak_and_acts_are_unknown():
    history = PoolHistory(
        pool=POOL,
        cut_age_s=60.0,
        steps=None,
        lp_shares=LpShares(maker=0.25, locked=0.5, burned=0.25),
    )
    found = features(history)
    assert (found["lp_maker"], found["lp_free"], found["lp_free_others"]) == (0.25, 0.25, 0.0)
    assert "lp_mints" not in found
    assert "buys" not in found


def test_path_from_swaps_then_liquidity_moves_are_unknown():
    steps = [ReserveStep(1, 0.0, 1.0, 1e20), ReserveStep(2, 13.0, 1.1, 0.9e20)]
    found = features(PoolHistory(pool=POOL, cut_age_s=60.0, steps=steps, sees_liquidity=False))
    assert found["buys"] == 1.0
    assert "adds" not in found


@given(
    st.lists(st.tuples(st.integers(0, 300), st.floats(0, 1e6), st.floats(0, 1e30)), max_size=40),
)
def test_any_path_then_every_feature_is_a_finite_number_or_unknown(raw):
    steps = sorted((100 + age, quote, base) for age, quote, base in raw) or [(100, 0.0, 0.0)]
    found = _features_of(pool(steps=steps))
    assert all(value is None or math.isfinite(value) for value in found.values())


def test_longest_history_then_features_take_little_time():
    steps = [
        ReserveStep(at, float(at), 10 + math.sin(at), 1e24 / (10 + math.sin(at))) for at in range(STEPS_MAX)
    ]
    history = PoolHistory(pool=POOL, cut_age_s=float(STEPS_MAX), steps=steps)
    features(history)
    best = min(_seconds(history) for _ in range(10))
    assert best < 0.01


def _seconds(history):
    started = time.perf_counter()
    features(history)
    return time.perf_counter() - started
