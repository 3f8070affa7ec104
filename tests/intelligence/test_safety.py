"""What two simulated round trips say together."""

from __future__ import annotations

from decimal import Decimal
from typing import Any, Literal, cast

import pytest
from hypothesis import given
from hypothesis import strategies as st

from apps.domain.market import RoundTrip
from apps.intelligence.logic import safety
from tests.intelligence.subjects import subject, trip

Stage = Literal["bought_and_sold", "buy_failed", "sell_failed", "unavailable"]
STAGES = st.sampled_from(["bought_and_sold", "buy_failed", "sell_failed", "unavailable"])


def figures(*trips: RoundTrip, **facts: Any) -> dict[str, Any]:
    return {item.code: item for item in safety.estimates(subject(round_trips=trips, **facts))}


def both(first: Stage, second: Stage) -> dict[str, Any]:
    return figures(trip(stage=first), trip("eth_simulateV1", second))


def test_both_methods_sell_then_sellable_for_sure() -> None:
    found = both("bought_and_sold", "bought_and_sold")
    assert (found["sellable"].value, found["sellable_next_block"].value) == (1, 1)
    assert (found["probe_disagreement"].value, found["buyable"].value) == (0, 1)
    assert found["sellable"].confidence == 1


@pytest.mark.parametrize("failed", ["sell_failed", "buy_failed"])
def test_methods_contradict_then_not_sellable(failed: Stage) -> None:
    ways = [both("bought_and_sold", failed)]
    ways += [both(failed, "bought_and_sold")] if failed == "buy_failed" else []
    for found in ways:
        assert found["probe_disagreement"].value == 1
        assert (found["sellable"].value, found["sellable_next_block"].value) == (0, 0)


def test_sale_fails_in_the_block_of_the_purchase_alone_then_it_is_a_wait_and_no_contradiction() -> None:
    found = both("sell_failed", "bought_and_sold")
    assert (found["probe_disagreement"].value, found["sellable"].value) == (0, 1)
    assert found["sellable"].confidence == safety.ALONE_CONFIDENCE


def test_sale_fails_in_both_then_not_sellable_without_disagreement() -> None:
    found = both("sell_failed", "sell_failed")
    assert (found["sellable"].value, found["probe_disagreement"].value) == (0, 0)


def test_one_method_unavailable_then_its_answer_is_unknown_and_the_other_trusted_less() -> None:
    found = figures(trip(), trip("eth_simulateV1", "unavailable", detail="no endpoint offers it"))
    assert found["sellable"].value == 1
    assert found["sellable"].confidence == safety.ALONE_CONFIDENCE
    assert found["sellable_next_block"].reason_unknown == "no endpoint offers it"
    assert found["probe_disagreement"].value is None


def test_only_the_plain_method_answers_then_same_block_sale_is_unknown() -> None:
    found = both("unavailable", "bought_and_sold")
    assert found["sellable"].value is None
    assert found["sellable_next_block"].value == 1


def test_buying_fails_everywhere_then_not_buyable_and_sale_unknown_with_the_revert_reason() -> None:
    found = figures(
        trip(stage="buy_failed", detail="TRADING_CLOSED"), trip("eth_simulateV1", "buy_failed", detail="x")
    )
    assert found["buyable"].value == 0
    assert found["sellable"].reason_unknown == "buying fails already: TRADING_CLOSED"
    assert found["buy_tax_bps"].reason_unknown == "the simulated buy fails: TRADING_CLOSED"


def test_nothing_was_simulated_then_all_unknown_with_the_readers_reason() -> None:
    found = figures(missing={"round_trips": "the DEX is not configured"})
    assert all(item.reason_unknown == "the DEX is not configured" for item in found.values())


def test_taxes_differ_then_the_worse_counts_and_the_better_is_the_lower_bound() -> None:
    found = figures(trip(sell_tax_bps=100), trip("eth_simulateV1", sell_tax_bps=9_900))["sell_tax_bps"]
    assert (found.value, found.low, found.high) == (9_900, 100, 9_900)


def test_tax_of_a_trip_is_unmeasured_then_the_other_counts() -> None:
    found = figures(trip(buy_tax_bps=None), trip("eth_simulateV1", buy_tax_bps=42))["buy_tax_bps"]
    assert (found.value, found.n, found.confidence) == (42, 1, Decimal("0.7"))


@given(first=STAGES, second=STAGES)
def test_any_stages_then_sellable_only_if_every_answer_says_so(first: str, second: str) -> None:
    found = both(cast(Stage, first), cast(Stage, second))
    answered = [stage for stage in (first, second) if stage != "unavailable"]
    if found["sellable"].value == 1 and found["sellable_next_block"].value == 1:
        assert answered in (["bought_and_sold", "bought_and_sold"], ["sell_failed", "bought_and_sold"])
    if second == "sell_failed" or (first == "sell_failed" and second != "bought_and_sold"):
        assert found["sellable"].value == 0
        assert found["sellable_next_block"].value == 0
    if not answered:
        assert not any(item.is_known for item in found.values())
