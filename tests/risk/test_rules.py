"""Every rule: what passes, what fails, and that unknown never passes."""

from __future__ import annotations

from dataclasses import replace
from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from apps.domain.analysis import Analysis
from apps.domain.config import Rules, TradingConfig
from apps.domain.market import DeployerHistory, SuppliedHolder
from apps.domain.money import Token
from apps.domain.verdict import Finding, Outcome, RiskVerdict
from apps.intelligence.logic.analyse import analyse
from apps.risk.logic.explanations import EXPLANATIONS, explanation_of
from apps.risk.logic.judge import judge
from apps.risk.logic.record import findings_from_json, findings_to_json
from apps.risk.logic.rules import RULES
from tests.intelligence.subjects import (
    BARE,
    CHAIN,
    CREATED_AT_MS,
    FACTS,
    LISTING,
    NO_CLUSTER,
    OWNER,
    SUPPLY,
    address,
    reserves,
    subject,
    trip,
)

MINT = "0x40c10f19"


def verdict(config: TradingConfig | None = None, **given: Any) -> RiskVerdict:
    return judge(analysis=analyse(subject(**given)), config=config or TradingConfig(), config_revision=7)


def answer(rule: str, *, rules: dict[str, Any] | None = None, **given: Any) -> Finding:
    config = TradingConfig(rules=Rules(**(rules or {})))
    [found] = [item for item in verdict(config, **given).findings if item.rule == rule]
    return found


def test_healthy_pair_then_every_rule_passes() -> None:
    found = verdict()
    assert found.outcome is Outcome.PASS
    assert found.refusals == ()
    assert len(found.findings) == len(RULES)
    assert (found.config_revision, found.trace_id, found.pair_key) == (7, LISTING.trace_id, LISTING.pair_key)


def test_nothing_is_known_then_no_rule_passes_but_those_that_need_no_chain() -> None:
    found = verdict(history=None, **BARE)
    assert found.outcome is Outcome.UNKNOWN
    passed = {item.rule for item in found.findings if item.outcome is Outcome.PASS}
    assert passed == {"quote_supported", "pair_age"}


def test_no_estimate_was_ever_asked_for_then_no_rule_passes() -> None:
    empty = Analysis(trace_id=LISTING.trace_id, listing=LISTING, block=FACTS.block, estimates=(), missing=())
    found = judge(analysis=empty, config=TradingConfig(), config_revision=1)
    assert {item.outcome for item in found.findings} == {Outcome.UNKNOWN}
    assert found.score_bps is None


@pytest.mark.parametrize(
    ("rule", "code", "given"),
    [
        ("quote_supported", "QUOTE_NOT_SUPPORTED",
         {"listing": replace(LISTING, quote=Token(CHAIN, address(88), "USDC", 6))}),
        ("token_data", "TOKEN_DATA_SENSELESS", {"base_total_supply_raw": 0, "reserves": reserves(base=0)}),
        ("token_data", "TOKEN_DATA_SENSELESS", {"listing": replace(LISTING, base=Token(CHAIN, address(1), "X", 60))}),
        ("pair_age", "PAIR_TOO_OLD", {"now_ms": CREATED_AT_MS + 86_401_000}),
        ("liquidity", "LIQUIDITY_BELOW_MINIMUM", {"reserves": reserves(quote=10**18)}),
        ("sellable", "SELL_BLOCKED",
         {"round_trips": (trip(stage="sell_failed"), trip("eth_simulateV1", "sell_failed"))}),
        ("sellable", "PROBES_DISAGREE", {"round_trips": (trip(), trip("eth_simulateV1", "sell_failed"))}),
        ("sellable", "TRADING_NOT_OPEN",
         {"round_trips": (trip(stage="buy_failed"), trip("eth_simulateV1", "buy_failed"))}),
        ("buy_tax", "BUY_TAX_ABOVE_MAXIMUM", {"round_trips": (trip(buy_tax_bps=501),)}),
        ("sell_tax", "SELL_TAX_ABOVE_MAXIMUM", {"round_trips": (trip(), trip("eth_simulateV1", sell_tax_bps=501))}),
        ("lp_removable", "LIQUIDITY_REMOVABLE", {"lp_locked_raw": 0}),
        ("creator_holding", "CREATOR_HOLDING_ABOVE_MAXIMUM", {"base_creator_raw": SUPPLY // 10 + 1}),
        ("creator_dump", "CREATOR_DUMP_TOO_DEEP", {"base_creator_raw": SUPPLY // 2}),
        ("creator_dump", "CREATOR_SIDE_DUMP_TOO_DEEP",
         {"holders": ((address(9), SUPPLY // 3),), "supplied": (SuppliedHolder(
             address=address(9), balance_raw=SUPPLY // 3, tx_hash="0x01"),)}),
        ("holders_top10", "HOLDERS_CONCENTRATED", {"holders": ((address(9), SUPPLY // 2 + 1),)}),
        ("holder_dump_top1", "LARGEST_HOLDER_TOO_LARGE", {"holders": ((address(9), SUPPLY * 3 // 10),)}),
        ("deployer_history", "DEPLOYER_MONEY_RUG_HISTORY",
         {"cluster": replace(NO_CLUSTER, history=DeployerHistory(tokens=3, dead=3, alive=0, unknown=0), makers=2)}),
        ("deployer_history", "DEPLOYER_RUG_HISTORY",
         {"history": DeployerHistory(tokens=2, dead=2, alive=0, unknown=0)}),
        ("owner_control", "OWNER_CONTROLS", {"owner": OWNER, "selectors": (*(FACTS.selectors or ()), MINT)}),
    ],
)  # fmt: skip
def test_a_rule_is_broken_then_it_fails_with_code_words_and_figures(
    rule: str, code: str, given: dict[str, Any]
) -> None:
    found = answer(rule, **given)
    assert (found.outcome, found.code) == (Outcome.FAIL, code)
    assert found.explanation.startswith(EXPLANATIONS[code].sentence.removesuffix("."))
    assert "=" in found.detail
    assert verdict(**given).outcome is Outcome.FAIL


@pytest.mark.parametrize(
    ("rule", "given"),
    [
        ("pair_age", {"now_ms": CREATED_AT_MS + 86_400_000}),
        ("liquidity", {"reserves": reserves(quote=2 * 10**18)}),
        ("buy_tax", {"round_trips": (trip(buy_tax_bps=500),)}),
        ("lp_removable", {"lp_burned_raw": 800 * 10**18, "lp_locked_raw": 0}),
        ("creator_holding", {"base_creator_raw": SUPPLY // 10}),
        ("holders_top10", {"holders": tuple((address(9 + n), SUPPLY // 20) for n in range(10))}),
        ("deployer_history", {"history": DeployerHistory(tokens=2, dead=1, alive=1, unknown=0)}),
    ],
)
def test_figure_is_exactly_at_its_limit_then_it_passes(rule: str, given: dict[str, Any]) -> None:
    assert answer(rule, **given).outcome is Outcome.PASS


@pytest.mark.parametrize(
    ("rule", "code", "given"),
    [
        ("token_data", "TOKEN_DATA_UNKNOWN", {"base_total_supply_raw": None}),
        ("liquidity", "LIQUIDITY_UNKNOWN", {"quote_price_usd_micros": None}),
        ("sellable", "SELLABLE_UNKNOWN", {"round_trips": ()}),
        ("sellable", "SELLABLE_UNKNOWN", {"round_trips": (trip(), trip("eth_simulateV1", "unavailable"))}),
        ("sellable", "SELLABLE_UNKNOWN", {"round_trips": (trip(stage="unavailable"), trip("eth_simulateV1"))}),
        ("buy_tax", "BUY_TAX_UNKNOWN", {"round_trips": (trip(buy_tax_bps=None),)}),
        ("sell_tax", "SELL_TAX_UNKNOWN", {"round_trips": (trip(sell_tax_bps=None),)}),
        ("lp_removable", "LIQUIDITY_HOLD_UNKNOWN", {"lp_locked_raw": None}),
        ("creator_holding", "CREATOR_HOLDING_UNKNOWN", {"base_creator_raw": None}),
        ("creator_dump", "CREATOR_DUMP_UNKNOWN", {"reserves": None}),
        ("creator_dump", "CREATOR_DUMP_UNKNOWN", {"supplied": None}),
        ("holder_dump_top1", "LARGEST_HOLDER_UNKNOWN", {"holders": None}),
        ("holders_top10", "HOLDERS_UNKNOWN", {"holders": None}),
        ("deployer_history", "DEPLOYER_UNKNOWN", {"history": None}),
        ("deployer_history", "DEPLOYER_UNKNOWN", {"history": DeployerHistory(tokens=2, dead=0, alive=0, unknown=2)}),
        ("owner_control", "OWNER_CONTROL_UNKNOWN", {"selectors": None}),
    ],
)  # fmt: skip
def test_figure_is_unknown_then_the_rule_does_not_pass_and_says_why(
    rule: str, code: str, given: dict[str, Any]
) -> None:
    found = answer(rule, **given)
    assert (found.outcome, found.code) == (Outcome.UNKNOWN, code)
    assert "(" in found.explanation
    assert verdict(**given).outcome is not Outcome.PASS


def test_first_token_of_a_deployer_then_it_passes_as_new() -> None:
    assert answer("deployer_history").code == "DEPLOYER_NEW"


def test_owner_control_is_allowed_then_it_passes_whatever_is_known() -> None:
    for facts in ({"selectors": None}, {"owner": OWNER, "selectors": (*(FACTS.selectors or ()), MINT)}):
        found = answer("owner_control", rules={"owner_control_allowed": True}, **facts)
        assert (found.outcome, found.code) == (Outcome.PASS, "OWNER_CONTROL_ALLOWED")


def test_owner_controls_then_the_powers_are_named() -> None:
    found = answer("owner_control", owner=OWNER, selectors=(*(FACTS.selectors or ()), MINT, "0x8456cb59"))
    assert "switch trading off, make new tokens" in found.explanation
    assert found.detail == "controls=pause,mint"


def test_trading_not_open_then_the_revert_reason_is_told() -> None:
    trips = (trip(stage="buy_failed", detail="NOT_YET"), trip("eth_simulateV1", "buy_failed"))
    assert "NOT_YET" in answer("sellable", round_trips=trips).explanation


def test_figures_in_detail_then_they_name_their_units() -> None:
    assert answer("liquidity").detail == "liquidity_usd=25000.000000 minimum_usd=5000"
    assert answer("sell_tax").detail == "sell_tax_bps=0 maximum=500"


def test_refusals_then_failures_stand_first_and_filters_before_dangers() -> None:
    found = verdict(lp_locked_raw=0, quote_price_usd_micros=None, reserves=reserves(quote=0), holders=None)
    assert [item.code for item in found.refusals] == [
        "LIQUIDITY_BELOW_MINIMUM",
        "LIQUIDITY_REMOVABLE",
        "HOLDERS_UNKNOWN",
        "LARGEST_HOLDER_UNKNOWN",
    ]


def test_every_code_a_rule_uses_then_it_has_words_and_refusals_a_remedy() -> None:
    for code, explanation in EXPLANATIONS.items():
        assert explanation.sentence.endswith("."), code
    assert explanation_of("OLD_CODE").sentence == "Old code."
    for facts in ({}, {"history": None, **BARE}):
        for item in verdict(**facts).findings:
            assert bool(explanation_of(item.code).remedy) is (item.outcome is not Outcome.PASS), item.code


def test_findings_are_stored_and_read_back_then_they_are_the_same() -> None:
    found = verdict(history=None, **BARE).findings
    assert findings_from_json(findings_to_json(found)) == found


@given(data=st.data())
def test_any_part_of_the_facts_goes_missing_then_the_verdict_is_never_better(data: st.DataObject) -> None:
    parts = data.draw(st.sets(st.sampled_from(sorted(BARE)), min_size=1))
    found = verdict(**{part: BARE[part] for part in parts})
    needed = set(BARE) - {"lp_creator_raw", "code_hash", "missing", "swaps", "owner"}
    assert (found.outcome is Outcome.PASS) is parts.isdisjoint(needed)


@given(tax=st.integers(0, 10_000), limit=st.integers(0, 10_000))
def test_any_tax_and_limit_then_it_passes_exactly_up_to_the_limit(tax: int, limit: int) -> None:
    found = answer("sell_tax", rules={"sell_tax_max_bps": limit}, round_trips=(trip(sell_tax_bps=tax),))
    assert (found.outcome is Outcome.PASS) is (tax <= limit)


@given(quote=st.integers(0, 10**24), limit=st.decimals("0", "1000000", places=2))
def test_any_liquidity_and_limit_then_it_passes_exactly_from_the_limit_on(quote: int, limit: Decimal) -> None:
    found = answer("liquidity", rules={"liquidity_min_usd": limit}, reserves=reserves(quote=quote))
    worth_micros = quote * 2_500 * 10**6 // 10**18
    assert (found.outcome is Outcome.PASS) is (Decimal(worth_micros) / 10**6 >= limit)
