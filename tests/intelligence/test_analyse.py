"""The analysis as a whole: agreed codes, honest unknowns, exact storage."""

from __future__ import annotations

import json

from apps.domain.market import DeployerHistory
from apps.intelligence.logic.analyse import analyse
from apps.intelligence.logic.record import estimates_from_json, estimates_to_json
from tests.intelligence.subjects import BARE, BLOCK, subject

#: What other apps read by name.
AGREED = {
    "liquidity_usd", "quote_price_usd", "buy_tax_bps", "sell_tax_bps", "sellable", "sellable_next_block",
    "lp_removable_bps", "lp_burned_bps", "creator_holding_bps", "holders_top10_bps", "holder_count",
    "creator_dump_drop_bps", "deployer_tokens", "deployer_dead_bps", "owner_active", "owner_controls", "pair_age_s",
    "buyers_count", "sellers_count", "price_change_bps", "buy_gas", "sell_gas",
}  # fmt: skip


def test_healthy_pair_then_every_agreed_figure_is_known() -> None:
    analysis = analyse(subject())
    assert {item.code for item in analysis.estimates} >= AGREED
    assert [item.code for item in analysis.estimates if not item.is_known] == []
    assert analysis.missing == ()
    assert {item.as_of_ms for item in analysis.estimates} == {BLOCK.at_ms}


def test_each_figure_stands_once() -> None:
    codes = [item.code for item in analyse(subject()).estimates]
    assert len(codes) == len(set(codes))


def test_nothing_read_then_only_age_and_quote_are_known_and_reasons_are_printable() -> None:
    analysis = analyse(subject(history=None, cluster=None, **BARE))
    assert {item.code for item in analysis.estimates if item.is_known} == {"pair_age_s", "quote_is_native"}
    assert {item.code for item in analysis.estimates} >= AGREED
    for item in analysis.estimates:
        if not item.is_known:
            assert item.reason_unknown.isprintable()
            assert item.confidence == 0
            assert item.n == 0
    assert "deployer_history" in analysis.missing
    assert "reserves" in analysis.missing


def test_stored_and_read_back_then_the_estimates_are_the_same() -> None:
    for given in (
        subject(history=DeployerHistory(tokens=3, dead=1, alive=2, unknown=0)),
        subject(history=None, **BARE),
    ):
        estimates = analyse(given).estimates
        assert estimates_from_json(json.loads(json.dumps(estimates_to_json(estimates)))) == estimates
