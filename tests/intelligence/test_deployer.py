"""A deployer's record, drawn towards the base rate."""

from __future__ import annotations

from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from apps.domain.market import DeployerHistory
from apps.intelligence.logic import deployer
from apps.intelligence.logic.deployer import dead_share
from tests.intelligence.subjects import subject

COUNTS = st.integers(0, 1_000)


def figures(history: DeployerHistory | None) -> dict[str, Any]:
    return {item.code: item for item in deployer.estimates(subject(history=history, cluster=None))}


def test_creator_unknown_then_both_are_unknown() -> None:
    assert not any(item.is_known for item in figures(None).values())


def test_first_token_then_the_base_rate_without_confidence() -> None:
    found = figures(DeployerHistory(tokens=0, dead=0, alive=0, unknown=0))
    assert found["deployer_tokens"].value == 0
    share = found["deployer_dead_bps"]
    assert (share.value, share.n, share.confidence, share.source) == (8_250, 0, 0, "prior")


def test_no_outcome_was_seen_then_the_share_is_unknown() -> None:
    found = figures(DeployerHistory(tokens=4, dead=0, alive=0, unknown=4))
    assert found["deployer_tokens"].value == 4
    assert "4 earlier tokens" in found["deployer_dead_bps"].reason_unknown


def test_few_tokens_then_the_interval_is_wide_and_closes_with_more() -> None:
    _, low_few, high_few = dead_share(dead=1, alive=1)
    _, low_many, high_many = dead_share(dead=100, alive=100)
    assert high_many - low_many < high_few - low_few
    assert low_few < 5_000 < low_many + 1_000


@given(dead=COUNTS, alive=COUNTS)
def test_any_record_then_the_share_lies_in_its_interval(dead: int, alive: int) -> None:
    mean, low, high = dead_share(dead=dead, alive=alive)
    assert 0 <= low <= mean <= high <= 10_000


@given(dead=COUNTS, alive=COUNTS, more=st.integers(1, 50))
def test_one_more_dies_then_share_and_lower_bound_never_fall(dead: int, alive: int, more: int) -> None:
    mean, low, _ = dead_share(dead=dead, alive=alive)
    worse_mean, worse_low, _ = dead_share(dead=dead + more, alive=alive)
    assert worse_mean >= mean
    assert worse_low >= low
    better_mean, _, _ = dead_share(dead=dead, alive=alive + more)
    assert better_mean <= mean
