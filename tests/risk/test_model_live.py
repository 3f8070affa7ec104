"""A live pair seen through the facts of one evaluation."""

from __future__ import annotations

import time
from dataclasses import replace
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from apps.domain.market import BlockRef, DeployerHistory, PairFacts
from apps.risk.model.features import features
from apps.risk.model.live import pool_history, reserve_steps, token_figures
from apps.risk.services.loss import loss_estimate
from tests.intelligence.subjects import BARE, CREATED_AT_MS, ETHER, FACTS, LISTING, swap

HISTORY = DeployerHistory(tokens=3, dead=2, alive=1, unknown=0)
START_BASE, START_QUOTE = 1_000_000 * ETHER, 10 * ETHER


LATER_MS = CREATED_AT_MS + 600_000


def traded(*trades, **changes):
    """Return facts after these trades (side, base, quote) in a pool of 10 coins against a million tokens."""
    base, quote, swaps = START_BASE, START_QUOTE, []
    for number, (side, base_raw, quote_raw) in enumerate(trades):
        sign = 1 if side == "buy" else -1
        base, quote = base - sign * base_raw, quote + sign * quote_raw
        block = BlockRef(101 + number, f"0x{number:02x}", CREATED_AT_MS + 1_000 * (number + 1))
        swaps.append(
            replace(swap(side, "0x" + "77" * 20, base=base_raw, quote=quote_raw, index=number), block=block)
        )
    assert FACTS.reserves is not None
    reserves = replace(FACTS.reserves, base_raw=base, quote_raw=quote)
    return replace(FACTS, reserves=reserves, swaps=tuple(swaps), **changes)


def steps_of(facts: PairFacts):
    assert facts.reserves is not None
    assert facts.swaps is not None
    return reserve_steps(LISTING, reserves=facts.reserves, swaps=facts.swaps, started_ms=CREATED_AT_MS)


TRADES = st.lists(
    st.tuples(st.sampled_from(["buy", "sell"]), st.integers(1, 10**20), st.integers(1, 10**16)), max_size=20
)


@given(TRADES)
def test_any_swaps_then_undoing_them_leads_back_to_the_start(trades):
    steps = steps_of(traded(*trades))
    assert steps is not None
    assert len(steps) == len(trades) + 1
    assert (steps[0].quote, steps[0].base) == (10.0, float(START_BASE))
    assert [step.age_s for step in steps] == sorted(step.age_s for step in steps)


def test_liquidity_was_added_between_then_the_path_is_unknown():
    facts = traded(("buy", ETHER, 5 * ETHER))
    assert facts.reserves is not None
    shrunk = replace(facts, reserves=replace(facts.reserves, quote_raw=4 * ETHER))
    assert steps_of(shrunk) is None


def test_older_swaps_were_not_read_then_the_path_is_unknown():
    facts = traded(("buy", ETHER, ETHER), missing={"swaps_before": "only the last 9 blocks were read"})
    found = pool_history(listing=LISTING, facts=facts, history=HISTORY, lockers=frozenset())
    assert found.steps is None
    assert features(found)["lp_maker"] is not None


def test_node_gives_swaps_of_the_future_then_the_path_is_unknown():
    facts = traded(*[("buy", ETHER, 10**14)] * 50)  # the facts' block is older than the last ten of them
    assert pool_history(listing=LISTING, facts=facts, history=None, lockers=frozenset()).steps is None


def test_live_pair_then_features_are_named_as_in_training():
    facts = traded(("buy", 90_000 * ETHER, ETHER), ("sell", 40_000 * ETHER, ETHER // 2))
    found = features(pool_history(listing=LISTING, facts=facts, history=HISTORY, lockers=frozenset()))
    assert (found["buys"], found["sells"], found["earlier_pools"], found["earlier_dead"]) == (1, 1, 3, 2)
    assert found["bought"] == pytest.approx(0.1)
    assert found["age"] == pytest.approx(3.6888794541)  # the facts' block is 40 s younger than the pair


def test_holdings_then_shares_are_named_as_in_training():
    facts = replace(FACTS, lp_total_supply_raw=100, lp_creator_raw=25, lp_burned_raw=50, lp_locked_raw=20)
    found = token_figures(facts=facts, history=HISTORY)
    assert found["lp_creator_holding_ratio"] == 0.25
    assert found["lp_lock_ratio"] == pytest.approx(0.7)
    assert found["number_of_token_creation_of_creator"] == 4


def test_figures_contradict_each_other_then_shares_are_unknown():
    facts = replace(FACTS, lp_total_supply_raw=100, lp_creator_raw=101)
    assert token_figures(facts=facts, history=None)["lp_creator_holding_ratio"] is None


@pytest.mark.django_db
def test_nothing_was_read_then_the_probability_is_unknown():
    found = loss_estimate(listing=LISTING, facts=replace(FACTS, **BARE), history=None)
    assert (found.code, found.value) == ("loss_probability", None)
    assert found.reason_unknown


@pytest.mark.django_db
def test_liquidity_free_instead_of_locked_then_a_loss_is_likelier():
    trades = [("buy", 9_000 * ETHER, ETHER // 10), ("sell", 4_000 * ETHER, ETHER // 25)] * 5
    shares = {"lp_total_supply_raw": 10**6, "lp_burned_raw": 0}
    locked = traded(*trades, lp_creator_raw=0, lp_locked_raw=10**6, **shares)
    free = traded(*trades, lp_creator_raw=10**6, lp_locked_raw=0, **shares)
    better, worse = (loss_estimate(listing=LISTING, facts=facts, history=HISTORY) for facts in (locked, free))
    assert better.value is not None
    assert worse.value is not None
    assert better.value < worse.value
    for found in (better, worse):
        assert found.low is not None
        assert found.high is not None
        assert 0 <= found.low <= (found.value or 0) <= found.high <= 10_000
        assert Decimal(0) < found.confidence <= 1


@pytest.mark.django_db
def test_busiest_pair_then_the_estimate_takes_milliseconds():
    facts = traded(
        *[("buy", ETHER, 10**14), ("sell", ETHER, 10**14)] * 125, block=BlockRef(900, "0x09", LATER_MS)
    )
    assert pool_history(listing=LISTING, facts=facts, history=HISTORY, lockers=frozenset()).steps
    loss_estimate(listing=LISTING, facts=facts, history=HISTORY)

    def once():
        started = time.perf_counter()
        loss_estimate(listing=LISTING, facts=facts, history=HISTORY)
        return (time.perf_counter() - started) * 1_000

    assert min(once() for _ in range(10)) < 15
