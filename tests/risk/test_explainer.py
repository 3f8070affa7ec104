"""Verdicts in plain sentences."""

from __future__ import annotations

import pytest

from apps.domain.analysis import Evidence
from apps.domain.market import BlockRef
from apps.domain.verdict import Outcome
from apps.risk.logic.explainer import explain, figures_in_words
from tests.risk.test_gates import figure, verdict


@pytest.mark.parametrize(
    ("detail", "words"),
    [
        ("sell_tax_bps=9900 maximum=500", "sell tax 99 %, at most 5 % allowed"),
        ("liquidity_usd=512.2 minimum_usd=5000", "liquidity $512.20, at least $5,000.00 needed"),
        ("pair_age_s=90000 maximum=86400", "pair age 25 h, at most 24 h allowed"),
        ("sellers=4 minimum=5 blocked_share_bound_bps=7500",
         "sellers 4, at least 5 needed, blocked share bound 75 %"),
        ("can_mint=yes", "can mint yes"),
        ("token_supply_raw=1 decimals=18 decimals_maximum=36", "decimals 18, decimals maximum 36"),
        ("max_reachable_sell_tax_bps=9900 maximum=1500", "max reachable sell tax 99 %, at most 15 % allowed"),
        ("", ""),
        ("no figures here", ""),
    ],
)  # fmt: skip
def test_figures_then_people_can_read_them(detail: str, words: str) -> None:
    assert figures_in_words(detail) == words


def test_refused_pair_then_refusals_come_first_with_numbers_and_what_must_change() -> None:
    found = verdict(figure("max_reachable_sell_tax_bps", 9_900, "bps"), lp_locked_raw=0, holders=None)
    told = explain(found)
    assert told.headline.startswith(
        "Refused: 2 rules against it, 2 rules cannot be answered, 2 warnings; score "
    )
    weights = [item.weight for item in told.sentences]
    assert weights == sorted(weights, key=["refuses", "warns", "not_asked", "speaks_for"].index)
    assert [item.rule for item in told.sentences[:3]] == [
        "reachable_sell_tax",
        "lp_removable",
        "holders_top10",
    ]
    assert told.sentences[0].text == (
        "The tax on selling can still be raised too far: it was tried in simulation:"
        " max reachable sell tax 99 %, at most 15 % allowed."
    )
    assert told.changes_needed[0] == (
        "The owner must give up that power, or you must raise reachable_sell_tax_max_bps."
    )
    assert len(told.changes_needed) == 3
    assert told.lines[-4] == "What would have to change:"


def test_accepted_pair_then_nothing_has_to_change() -> None:
    found = verdict()
    told = explain(found)
    assert found.outcome is Outcome.PASS
    assert told.headline.startswith("Accepted: 1 warning; score ")
    assert told.changes_needed == ()
    assert "What would have to change:" not in told.lines
    assert len(told.sentences) == len(found.findings)


def test_same_verdict_then_same_words() -> None:
    assert explain(verdict(holders=None)) == explain(verdict(holders=None))


def test_evidence_is_there_then_a_danger_says_what_was_tried_and_by_whom() -> None:
    found = verdict(figure("can_mint", True), figure("can_pause", False))
    block = BlockRef(1, "0xaa", 0)
    shown = [
        Evidence(code=code, summary=summary, block=block, calls=())
        for code, summary in (
            (
                "can_mint",
                "The owner 0xaa called mint(address,uint256) in simulation; the supply grew by 50 %.",
            ),
            ("can_mint", "A weaker act."),
            ("can_pause", "Not told: it passes."),
        )
    ]
    told = explain(found, evidence=shown)
    first = told.sentences[0]
    assert first.rule == "can_mint"
    assert first.text.endswith("called mint(address,uint256) in simulation; the supply grew by 50 %.")
    assert not any("Not told" in item.text or "weaker" in item.text for item in told.sentences)
