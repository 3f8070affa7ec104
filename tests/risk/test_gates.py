"""Gates: what a rule's refusal does, and what it means that nobody asked."""

from __future__ import annotations

import time
from dataclasses import replace
from decimal import Decimal
from typing import Any

import pytest

from apps.domain.analysis import Analysis
from apps.domain.config import Gates, TradingConfig
from apps.domain.estimate import Estimate, known, unknown
from apps.domain.verdict import Finding, Gate, Outcome, RiskVerdict
from apps.intelligence.logic.analyse import analyse
from apps.risk.logic.explanations import EXPLANATIONS
from apps.risk.logic.judge import Assessment, judge
from apps.risk.logic.record import findings_from_json, findings_to_json
from apps.risk.logic.rules import RULES, Absence
from apps.risk.logic.rules.third_party_proof import blocked_share_bound_bps
from tests.intelligence.subjects import address, subject, swap, trip

DEEP = tuple(rule for rule in RULES if rule.absence is Absence.REFUSES_IN_FULL)


def figure(code: str, value: int | bool, unit: str = "bool") -> Estimate:
    return known(code, value, unit=unit, source="simulation", as_of_ms=0)


def verdict(
    *estimates: Estimate,
    assessment: Assessment = "first_look",
    gates: dict[str, Any] | None = None,
    rules: dict[str, Any] | None = None,
    **facts: Any,
) -> RiskVerdict:
    base = analyse(subject(**facts))
    named = {item.code for item in estimates}
    analysis = replace(
        base,
        estimates=(*(item for item in base.estimates if item.code not in named), *estimates),
    )
    config = TradingConfig.model_validate({"gates": gates or {}, "rules": rules or {}})
    return judge(analysis=analysis, config=config, config_revision=1, assessment=assessment)


def of(rule: str, found: RiskVerdict) -> Finding:
    [item] = [item for item in found.findings if item.rule == rule]
    return item


def test_table_then_every_rule_has_one_gate_and_every_gate_one_rule() -> None:
    assert {rule.name for rule in RULES} == set(Gates.model_fields)
    assert len({rule.name for rule in RULES}) == len(RULES)


@pytest.mark.parametrize(
    ("gate", "outcome", "refused", "warned"),
    [
        ("veto", Outcome.FAIL, True, False),
        ("warn", Outcome.PASS, False, True),
        ("off", Outcome.PASS, False, False),
    ],
)
def test_rule_fails_then_its_gate_says_what_that_does(
    gate: str, outcome: Outcome, refused: bool, warned: bool
) -> None:
    found = verdict(gates={"lp_removable": gate}, lp_locked_raw=0)
    assert found.outcome is outcome
    assert ("lp_removable" in {item.rule for item in found.refusals}) is refused
    assert ("lp_removable" in {item.rule for item in found.warnings}) is warned
    assert ("lp_removable" in {item.rule for item in found.findings}) is (gate != "off")


def test_unknown_answer_then_only_a_veto_makes_the_verdict_unknown() -> None:
    assert verdict(holders=None).outcome is Outcome.UNKNOWN
    warned = {"holders_top10": "warn", "holder_dump_top1": "warn"}
    assert verdict(gates=warned, holders=None).outcome is Outcome.PASS


def test_every_gate_is_off_then_nothing_passes() -> None:
    found = verdict(gates=dict.fromkeys(Gates.model_fields, "off"))
    assert (found.outcome, found.findings) == (Outcome.UNKNOWN, ())


def test_first_look_did_not_ask_then_the_finding_says_so_and_refuses_nothing() -> None:
    found = verdict()
    assert found.outcome is Outcome.PASS
    for rule in DEEP:
        item = of(rule.name, found)
        assert (item.outcome, item.code, item.gate) == (Outcome.UNKNOWN, "NOT_ASKED", Gate.WARN)
        assert item.detail == f"{rule.figure}=not asked"


def test_full_assessment_did_not_find_out_then_the_same_absence_refuses() -> None:
    found = verdict(assessment="full")
    assert found.outcome is Outcome.UNKNOWN
    strict = {rule.name for rule in DEEP if getattr(Gates(), rule.name) is Gate.VETO}
    assert {item.rule for item in found.refusals} == strict
    assert of("coordination", found).code == "NOT_ASKED"
    assert of("coordination", found).gate is Gate.WARN


def test_asked_and_not_found_out_then_it_refuses_at_first_sight_too() -> None:
    reason = unknown("can_mint", "no endpoint can", unit="bool", source="simulation", as_of_ms=0)
    found = verdict(reason)
    assert found.outcome is Outcome.UNKNOWN
    assert [(item.rule, item.code) for item in found.refusals] == [("can_mint", "MINT_UNKNOWN")]
    assert "no endpoint can" in found.refusals[0].explanation


@pytest.mark.parametrize(
    ("rule", "good", "bad", "code"),
    [
        ("sellable_later", figure("sellable_later", True), figure("sellable_later", False), "SELL_BLOCKED_LATER"),
        ("sellable_from_fresh_wallet", figure("sellable_from_fresh_wallet", True),
         figure("sellable_from_fresh_wallet", False), "FRESH_WALLET_BLOCKED"),
        ("sellable_in_parts", figure("sellable_in_parts", True), figure("sellable_in_parts", False), "PARTS_BLOCKED"),
        ("sellable_behind_buyer", figure("sellable_behind_buyer", True), figure("sellable_behind_buyer", False),
         "BLOCKED_BEHIND_BUYER"),
        ("sellable_otherwise", figure("sellable_otherwise", True), figure("sellable_otherwise", False),
         "BLOCKED_OTHERWISE"),
        ("hidden_owner", figure("hidden_owner", False), figure("hidden_owner", True), "HIDDEN_OWNER"),
        ("probe_disagreement", figure("probe_disagreement", False), figure("probe_disagreement", True),
         "PROBES_DISAGREE"),
        ("can_pause", figure("can_pause", False), figure("can_pause", True), "PAUSE_POSSIBLE"),
        ("can_blacklist", figure("can_blacklist", False), figure("can_blacklist", True), "BLACKLIST_POSSIBLE"),
        ("can_mint", figure("can_mint", False), figure("can_mint", True), "MINT_POSSIBLE"),
        ("can_move_balances", figure("can_move_balances", False), figure("can_move_balances", True),
         "SEIZURE_POSSIBLE"),
        ("can_upgrade", figure("can_upgrade", False), figure("can_upgrade", True), "UPGRADE_POSSIBLE"),
        ("reachable_buy_tax", figure("max_reachable_buy_tax_bps", 1_500, "bps"),
         figure("max_reachable_buy_tax_bps", 1_501, "bps"), "REACHABLE_BUY_TAX_ABOVE_MAXIMUM"),
        ("reachable_sell_tax", figure("max_reachable_sell_tax_bps", 1_500, "bps"),
         figure("max_reachable_sell_tax_bps", 9_900, "bps"), "REACHABLE_SELL_TAX_ABOVE_MAXIMUM"),
        ("coordination", figure("coordination_bps", 7_000, "bps"), figure("coordination_bps", 7_001, "bps"),
         "BUYERS_IN_CONCERT"),
    ],
)  # fmt: skip
def test_deep_figure_is_known_then_it_passes_or_vetoes(
    rule: str, good: Estimate, bad: Estimate, code: str
) -> None:
    passed = verdict(good)
    assert passed.outcome is Outcome.PASS
    assert of(rule, passed).outcome is Outcome.PASS
    refused = verdict(bad)
    assert refused.outcome is Outcome.FAIL
    assert (of(rule, refused).code, of(rule, refused).gate) == (code, Gate.VETO)


@pytest.mark.parametrize(
    "code", ["size_dependent", "runs_foreign_code", "can_selfdestruct", "transfer_calls_others"]
)
def test_honest_tokens_do_it_too_then_it_warns_by_default(code: str) -> None:
    found = verdict(figure(code, True))
    assert found.outcome is Outcome.PASS
    assert of(code, found) in found.warnings


def test_owner_control_is_allowed_then_its_powers_pass_but_not_seizure_and_upgrade() -> None:
    powers = ("can_pause", "can_blacklist", "can_mint", "can_move_balances", "can_upgrade")
    found = verdict(
        *(figure(code, True) for code in powers),
        figure("max_reachable_sell_tax_bps", 9_900, "bps"),
        rules={"owner_control_allowed": True},
    )
    assert {item.rule for item in found.refusals} == {"can_move_balances", "can_upgrade"}


# -- third parties ------------------------------------------------------------------------
def test_few_unrelated_people_sold_then_it_warns_with_the_bound() -> None:
    few = tuple(swap("sell", address(3_000 + n), index=n) for n in range(4))
    item = of("third_party_proof", verdict(swaps=few))
    assert (item.outcome, item.gate, item.code) == (Outcome.FAIL, Gate.WARN, "THIRD_PARTY_PROOF_THIN")
    assert item.detail == "sellers=4 minimum=5 blocked_share_bound_bps=7500"
    enough = (*few, swap("sell", address(3_004), index=4))
    assert of("third_party_proof", verdict(swaps=enough)).outcome is Outcome.PASS


def test_one_person_sells_many_times_then_it_counts_once() -> None:
    same = tuple(swap("sell", address(3_000), index=n) for n in range(9))
    assert "sellers=1 " in of("third_party_proof", verdict(swaps=same)).detail


def test_proof_is_a_veto_then_thin_proof_refuses() -> None:
    assert verdict(gates={"third_party_proof": "veto"}).outcome is Outcome.FAIL


@pytest.mark.parametrize(
    ("sellers", "bound"), [(0, 10_000), (3, 10_000), (4, 7_500), (7, 4_286), (30, 1_000)]
)
def test_rule_of_three_then_the_bound_is_rounded_up(sellers: int, bound: int) -> None:
    assert blocked_share_bound_bps(Decimal(sellers)) == bound


# -- keeping ------------------------------------------------------------------------------
def test_findings_are_stored_then_their_gates_come_back() -> None:
    found = verdict(figure("can_mint", True), gates={"sell_tax": "warn"})
    assert findings_from_json(findings_to_json(found.findings)) == found.findings


def test_finding_of_before_the_gates_then_it_is_a_veto() -> None:
    row = findings_to_json(verdict().findings[:1])[0]
    del row["gate"]
    assert findings_from_json([row])[0].gate is Gate.VETO


def test_every_code_of_the_new_rules_then_it_has_words_and_a_remedy_where_it_refuses() -> None:
    for code, words in EXPLANATIONS.items():
        assert words.sentence.endswith("."), code
        if code.endswith(("_POSSIBLE", "_UNKNOWN", "_BLOCKED", "_ABOVE_MAXIMUM")):
            assert words.remedy, code


def test_probes_disagree_by_one_method_then_the_verdict_names_both_rules() -> None:
    found = verdict(round_trips=(trip(), trip("eth_simulateV1", "sell_failed")))
    assert {item.rule for item in found.refusals} >= {"sellable", "probe_disagreement"}


def test_judging_one_pair_then_it_takes_under_two_milliseconds() -> None:
    base = analyse(subject())
    deep = tuple(figure(rule.figure, False) for rule in DEEP)
    analysis: Analysis = replace(base, estimates=(*base.estimates, *deep))
    config, times = TradingConfig(), []
    for _ in range(300):
        started = time.process_time()  # our own work: the machine is shared
        judge(analysis=analysis, config=config, config_revision=1, assessment="full")
        times.append(time.process_time() - started)
    p95_ms = sorted(times)[int(len(times) * 0.95)] * 1_000
    print(f"judge p95 {p95_ms:.3f} ms of {len(RULES)} rules")
    assert p95_ms < 2


def test_concert_cannot_be_told_of_a_young_pair_then_it_warns_and_refuses_nothing() -> None:
    young = analyse(subject())
    hidden = unknown("coordination_bps", "4 swaps: 30 are needed", unit="bps", source="concert", as_of_ms=0)
    verdict = judge(
        analysis=replace(young, estimates=(*young.estimates, hidden)),
        config=TradingConfig(),
        config_revision=1,
    )
    assert "coordination" in {item.rule for item in verdict.warnings}
    assert "coordination" not in {item.rule for item in verdict.refusals}
