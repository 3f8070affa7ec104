"""What the full assessment's trades mean: later, elsewhere, in other sizes, and which differences are no trap."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from apps.domain.estimate import Estimate
from apps.domain.probes import TokenProbes
from apps.intelligence.logic import safety, trades
from tests.intelligence.probed import PROBES, with_trades
from tests.intelligence.subjects import subject, trip

FAILS: dict[str, Any] = {"stage": "sell_failed", "detail": "Cooldown"}


def estimated(probes: TokenProbes | None, **facts: Any) -> dict[str, Estimate]:
    about = subject(probes=probes, **facts)
    return {item.code: item for item in (*trades.estimates(about), *safety.estimates(about))}


def test_first_look_then_none_of_them() -> None:
    assert trades.estimates(subject()) == ()


def test_healthy_token_then_all_are_yes_and_size_does_not_matter() -> None:
    found = estimated(PROBES)
    for code in (
        "sellable_later",
        "sellable_from_fresh_wallet",
        "sellable_in_parts",
        "sellable_behind_buyer",
        "sellable_otherwise",
    ):
        assert found[code].value == 1
    assert found["size_dependent"].value == 0
    assert found["sale_wait_blocks"].value == 0


@pytest.mark.parametrize(
    ("name", "code"),
    [
        ("after_100_blocks", "sellable_later"),
        ("after_7200_blocks", "sellable_later"),
        ("after_7200_blocks", "sellable_later_7200"),
        ("fresh_wallet", "sellable_from_fresh_wallet"),
        ("in_parts", "sellable_in_parts"),
        ("second_buyer", "sellable_behind_buyer"),
        ("told_times", "sellable_otherwise"),
        ("strangers", "sellable_otherwise"),
        ("other_blocks", "sellable_otherwise"),
    ],
)
def test_one_sale_fails_then_its_estimate_is_no_and_shown(name: str, code: str) -> None:
    probes = with_trades(**{name: FAILS})
    assert estimated(probes)[code].value == 0
    shown = [item for item in trades.evidence(probes) if item.code == code]
    assert shown
    assert "Cooldown" in shown[0].summary
    assert shown[0].calls


def test_later_sale_could_not_be_played_then_unknown_unless_another_failed() -> None:
    unplayed = {"stage": "unavailable", "detail": "too many blocks"}
    found = estimated(with_trades(after_7200_blocks=unplayed))["sellable_later"]
    assert (found.value, found.reason_unknown) == (None, "too many blocks")
    assert (
        estimated(with_trades(after_7200_blocks=unplayed, after_100_blocks=FAILS))["sellable_later"].value
        == 0
    )


@pytest.mark.parametrize(
    "changes",
    [{"tenfold_size": FAILS}, {"tenth_size": {"sell_tax_bps": 900}}, {"tenfold_size": {"buy_tax_bps": 51}}],
)
def test_outcome_depends_on_the_size_then_yes_with_every_size_shown(changes: dict[str, Any]) -> None:
    probes = with_trades(**changes)
    assert estimated(probes)["size_dependent"].value == 1
    assert len([item for item in trades.evidence(probes) if item.code == "size_dependent"]) == 3


def test_large_size_cannot_be_bought_then_that_harms_nobody() -> None:
    probes = with_trades(tenfold_size={"stage": "buy_failed", "detail": "Exceeds maxTransactionAmount"})
    assert estimated(probes)["size_dependent"].value == 0


def test_everybody_must_wait_a_little_then_it_is_no_trap() -> None:
    probes = with_trades(same_block=FAILS, intended_size=FAILS)
    found = estimated(probes, round_trips=(trip(stage="sell_failed"), trip("eth_simulateV1", "sell_failed")))
    assert found["sellable"].value == found["sellable_next_block"].value == 1
    assert found["probe_disagreement"].value == 0
    assert found["size_dependent"].value == 0
    assert found["sale_wait_blocks"].value == 30


def test_same_block_fails_by_code_alone_then_the_methods_disagree() -> None:
    found = estimated(PROBES, round_trips=(trip(stage="sell_failed"), trip("eth_simulateV1")))
    assert found["probe_disagreement"].value == 1
    assert found["sellable"].value == 0


def test_sale_in_parts_fails_then_it_contradicts_the_whole_one() -> None:
    found = estimated(with_trades(in_parts=FAILS))
    assert found["probe_disagreement"].value == 1
    assert found["sellable"].value == 0


def test_nothing_was_tried_then_unknown_with_the_reason() -> None:
    found = estimated(replace(PROBES, trades=(), missing={"trades": "no router is known"}))
    assert found["sellable_later"].reason_unknown == "no router is known"
    assert found["size_dependent"].value is None
    assert found["sellable"].value == 1  # the first look's own answer stands
