"""Entries: what is bought, how much of it, and why not."""

from __future__ import annotations

import json
from dataclasses import replace
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from apps.domain.decision import SkipStage, TradeDecision
from apps.domain.estimate import unknown
from apps.domain.market import FeeQuote
from apps.domain.verdict import Outcome
from apps.risk.logic.explanations import EXPLANATIONS
from apps.risk.logic.judge import judge
from apps.trading.logic import gas, pool
from apps.trading.logic.core import entry_case_reduced, step_entry
from apps.trading.logic.entry import FILTER_RULES, PASSING_CODES
from apps.trading.logic.record import EntryInputs, decision_from_inputs, entry_inputs
from tests.trading import cases


def decide(**given: Any) -> TradeDecision:
    arguments: dict[str, Any] = {
        "verdict": cases.verdict(),
        "analysis": cases.analysis(),
        "config": cases.config(),
        "config_revision": 3,
        "facts": cases.facts(),
    }
    return step_entry(**{**arguments, **given})


def code_of(decision: TradeDecision) -> str:
    assert decision.action == "skip"
    return decision.reasons[0].code


def test_enter_when_everything_agrees_then_smallest_cap_decides_the_size():
    decision = decide()
    assert decision.action == "enter"
    assert decision.amount_in is not None
    # 250 dollars at 3000 a coin are below 2 % of 10 coins and 2 % of the pool.
    assert decision.amount_in.raw == 250 * 10**18 // 3_000
    assert decision.value_usd_micros == 249_999_999
    assert "size_bound_by=position_max_usd" in decision.reasons[0].detail
    assert decision.gas_limit == (120_000 + 30_000) * 3 // 2
    assert decision.fee_cap_raw > 0


def test_enter_with_buy_tax_then_minimum_out_is_quote_less_tax_less_slippage():
    decision = decide()
    assert decision.amount_in is not None
    assert decision.expected_out is not None
    assert decision.amount_out_min is not None
    untaxed = pool.buy_out(cases.reserves(), fee_bps=30, amount_in_raw=decision.amount_in.raw, tax_bps=0)
    assert decision.expected_out.raw == untaxed * 9_900 // 10_000
    assert decision.amount_out_min.raw == decision.expected_out.raw * 9_700 // 10_000


@pytest.mark.parametrize(
    ("changes", "bound_by"),
    [
        ({"wallet_native_raw": 2 * cases.ETHER}, "equity_share_max_bps"),
        ({"reserves": cases.reserves(quote=3 * cases.ETHER)}, "price_impact_max_bps"),
        ({"exposure_usd_micros": 4_950_000_000}, "exposure_max_usd"),
    ],
)
def test_enter_when_another_cap_is_smaller_then_it_decides(changes: dict[str, Any], bound_by: str):
    decision = decide(facts=cases.facts(**changes))
    assert decision.action == "enter"
    assert f"size_bound_by={bound_by}" in decision.reasons[0].detail


@pytest.mark.parametrize(
    ("rule", "stage"), [("quote_supported", SkipStage.FILTER), ("sellable", SkipStage.RISK)]
)
def test_enter_when_a_rule_fails_then_skips_for_good_with_its_code(rule: str, stage: SkipStage):
    failed = cases.finding(Outcome.FAIL, "RULE_FAILED", rule)
    decision = decide(verdict=cases.verdict(outcome=Outcome.FAIL, findings=(failed,)))
    assert (code_of(decision), decision.skip_stage) == ("RULE_FAILED", stage)
    assert decision.retry_after_ms is None


def test_enter_when_a_rule_is_unknown_then_looks_again_until_it_gives_up():
    unclear = cases.finding(Outcome.UNKNOWN, "TAX_UNKNOWN")
    verdict = cases.verdict(outcome=Outcome.UNKNOWN, findings=(unclear,))
    assert decide(verdict=verdict).retry_after_ms == cases.NOW_MS + 5_000
    late = cases.facts(give_up_at_ms=cases.NOW_MS + 4_999)
    assert decide(verdict=verdict, facts=late).retry_after_ms is None


def test_enter_when_pool_is_not_filled_yet_then_looks_again_whatever_else_failed():
    findings = (
        cases.finding(Outcome.FAIL, "LIQUIDITY_BELOW_MINIMUM", "liquidity"),
        cases.finding(Outcome.FAIL, "CREATOR_HOLDING_ABOVE_MAXIMUM", "creator_holding"),
    )
    verdict = cases.verdict(outcome=Outcome.FAIL, findings=findings)
    assert (
        decide(verdict=verdict, facts=cases.facts(reserves=cases.reserves(quote=0))).retry_after_ms
        is not None
    )
    assert decide(verdict=verdict).retry_after_ms is None


def test_enter_when_verdict_names_no_refusal_but_does_not_pass_then_skips():
    assert code_of(decide(verdict=cases.verdict(outcome=Outcome.UNKNOWN))) == "VERDICT_NOT_PASSED"


def test_enter_when_quote_is_not_the_wrapped_coin_then_skips():
    listing = cases.listing(quote=cases.BASE, base=cases.WRAPPED)
    decision = decide(analysis=cases.analysis(listing=listing))
    assert (code_of(decision), decision.skip_stage) == ("QUOTE_NOT_SUPPORTED", SkipStage.FILTER)


@pytest.mark.parametrize(("score", "code"), [(5_499, "SCORE_BELOW_MINIMUM"), (None, "SCORE_UNKNOWN")])
def test_enter_when_score_is_too_low_or_unknown_then_skips_and_looks_again(score: int | None, code: str):
    decision = decide(verdict=cases.verdict(score_bps=score))
    assert (code_of(decision), decision.skip_stage) == (code, SkipStage.SCORE)
    assert decision.retry_after_ms is not None


@pytest.mark.parametrize(
    ("changes", "code"),
    [
        ({"open_positions": 20}, "LIMIT_OPEN_POSITIONS"),
        ({"exposure_usd_micros": 5_000_000_000}, "LIMIT_EXPOSURE"),
        ({"realised_today_usd_micros": -500_000_000}, "LIMIT_DAILY_LOSS"),
        ({"token_exit_at_ms": cases.NOW_MS - 3_599_000}, "LIMIT_TOKEN_COOLDOWN"),
        ({"deployer_loss_at_ms": cases.NOW_MS - 1_000}, "LIMIT_DEPLOYER_COOLDOWN"),
        ({"reserves": None}, "SIZE_FACTS_UNKNOWN"),
        ({"fees": None}, "SIZE_FACTS_UNKNOWN"),
        ({"quote_price_usd_micros": None}, "SIZE_FACTS_UNKNOWN"),
        ({"quote_price_usd_micros": 0}, "SIZE_FACTS_UNKNOWN"),
        ({"wallet_native_raw": None}, "SIZE_FACTS_UNKNOWN"),
        ({"wallet_native_raw": cases.ETHER // 1_000}, "LIMIT_SIZE_BELOW_MINIMUM"),
        ({"reserves": cases.reserves(quote=cases.ETHER // 100)}, "LIMIT_SIZE_BELOW_MINIMUM"),
        ({"reserves": cases.reserves(base=0)}, "POOL_GIVES_NOTHING"),
        ({"fees": replace(cases.FEES, max_fee_wei=10**11)}, "LIMIT_FEE_SHARE"),
    ],
)
def test_enter_when_a_limit_stands_in_the_way_then_skips_and_looks_again(changes: dict[str, Any], code: str):
    decision = decide(facts=cases.facts(**changes))
    assert (code_of(decision), decision.skip_stage) == (code, SkipStage.LIMIT)
    assert decision.retry_after_ms is not None
    assert all(reason.explanation for reason in decision.reasons)


def test_enter_when_buy_tax_is_unknown_then_skips():
    blind = unknown("buy_tax_bps", "no answer", unit="bps", source="simulation", as_of_ms=cases.NOW_MS)
    assert code_of(decide(analysis=cases.analysis(estimates=(blind,)))) == "SIZE_FACTS_UNKNOWN"


def test_enter_after_cooldown_then_enters():
    assert decide(facts=cases.facts(token_exit_at_ms=cases.NOW_MS - 3_600_000)).action == "enter"


def test_chain_whose_exits_nobody_watches_then_is_not_bought_yet():
    decision = decide(facts=cases.facts(exits_watched=False))
    assert (code_of(decision), decision.skip_stage) == ("EXITS_NOT_WATCHED", SkipStage.ENGINE)
    assert decision.retry_after_ms is not None


def test_enter_when_engine_is_paused_then_says_it_would_have_been_bought():
    decision = decide(facts=cases.facts(engine_may_enter=False, engine_status="paused"))
    assert (code_of(decision), decision.skip_stage) == ("ENGINE_NOT_RUNNING", SkipStage.ENGINE)
    assert decision.retry_after_ms is not None


amounts = st.integers(min_value=0, max_value=10**24)


@given(
    base=st.integers(min_value=0, max_value=10**40),
    quote=amounts,
    wallet=amounts,
    price=st.integers(min_value=1, max_value=10**12),
    tax=st.integers(min_value=0, max_value=12_000),
    slippage=st.integers(min_value=1, max_value=5_000),
    exposure=st.integers(min_value=0, max_value=10**10),
)
def test_enter_whatever_the_market_then_caps_hold_and_minimum_out_is_not_above_the_quote(
    base: int, quote: int, wallet: int, price: int, tax: int, slippage: int, exposure: int
):
    config = cases.config(execution={"slippage_max_bps": slippage})
    facts = cases.facts(
        reserves=cases.reserves(base=base, quote=quote),
        wallet_native_raw=wallet,
        quote_price_usd_micros=price,
        exposure_usd_micros=exposure,
    )
    decision = decide(config=config, facts=facts, analysis=cases.analysis(buy_tax_bps=tax))
    if decision.action == "skip":
        return
    assert decision.amount_in is not None
    assert decision.expected_out is not None
    assert decision.amount_out_min is not None
    assert decision.value_usd_micros is not None
    size = decision.amount_in.raw
    assert 0 < decision.amount_out_min.raw <= decision.expected_out.raw <= base
    assert size * 10_000 <= quote * config.rules.price_impact_max_bps
    assert size * 10_000 <= wallet * config.entry.equity_share_max_bps
    assert 10_000_000 <= decision.value_usd_micros <= 250_000_000
    assert exposure + decision.value_usd_micros <= 5_000_000_000


@pytest.mark.parametrize(
    "changes",
    [
        {},
        {"facts": cases.facts(engine_may_enter=False)},
        {"facts": cases.facts(reserves=None, wallet_native_raw=2**60)},
        {"verdict": cases.verdict(score_bps=None)},
        {
            "verdict": cases.verdict(
                outcome=Outcome.FAIL, findings=(cases.finding(Outcome.PASS), cases.finding(Outcome.FAIL))
            )
        },
    ],
)
def test_entry_inputs_when_repeated_from_json_then_the_decision_is_equal(changes: dict[str, Any]):
    given: dict[str, Any] = {
        "verdict": cases.verdict(),
        "analysis": cases.analysis(),
        "config": cases.config(),
        "config_revision": 3,
        "facts": cases.facts(),
        **changes,
    }
    stored = json.loads(json.dumps(entry_inputs(EntryInputs(case=entry_case_reduced(**given)))))
    assert decision_from_inputs(stored) == step_entry(**given)


def test_names_that_entries_know_of_rules_then_are_rules_and_codes_of_the_risk_manager():
    nothing_known = cases.analysis(estimates=())
    verdict = judge(analysis=nothing_known, config=cases.config(), config_revision=3)
    assert {item.rule for item in verdict.findings} >= FILTER_RULES
    assert set(EXPLANATIONS) >= PASSING_CODES
    decision = decide(verdict=verdict, analysis=nothing_known)
    assert decision.action == "skip"
    assert len(decision.reasons) == len(verdict.refusals)


def test_enter_when_others_bid_high_then_bids_above_them_within_its_share():
    front = 50 * 10**6
    quiet, rush = decide(), decide(facts=cases.facts(fees=replace(cases.FEES, tip_front_wei=front)))
    assert quiet.fee_cap_raw is not None
    assert rush.fee_cap_raw is not None
    assert "tip_wei=1000000" in quiet.reasons[0].detail
    assert "tip_wei=55000000" in rush.reasons[0].detail
    assert rush.amount_in == quiet.amount_in
    raised = (
        (rush.fee_cap_raw - quiet.fee_cap_raw) * 2 // 3
    )  # the cap has half as much again for the base fee
    assert raised == rush.gas_limit * (55 - 1) * 10**6
    off = decide(
        facts=cases.facts(fees=replace(cases.FEES, tip_front_wei=front)),
        config=cases.config(influence={"gas_by_value": False}),
    )
    assert off == decide(config=cases.config(influence={"gas_by_value": False}))


@given(st.integers(0, 10**15), st.integers(0, 10**15), st.integers(21_000, 10**7), st.integers(0, 10**18))
def test_bid_whatever_the_market_then_never_lower_and_never_dearer_than_allowed(
    tip: int, front: int, gas_limit: int, most: int
):
    fees = FeeQuote(
        base_fee_wei=10**9, tip_wei=tip, max_fee_wei=2 * 10**9 + tip, block_number=1, tip_front_wei=front
    )
    bid = gas.fees_bid(fees, gas_limit=gas_limit, raise_max_raw=most)
    raised = bid.tip_wei - fees.tip_wei
    assert 0 <= raised * gas_limit <= most
    assert bid.max_fee_wei - bid.tip_wei == fees.max_fee_wei - fees.tip_wei
    assert bid.tip_wei <= max(tip, front * gas.FRONT_BID_BPS // 10_000)
    if front and most >= gas_limit * front * 2:
        assert bid.tip_wei >= front
