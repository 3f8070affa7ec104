"""All rules, their gates and the score, put together."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace
from typing import Literal

from apps.domain.analysis import Analysis
from apps.domain.config import TradingConfig
from apps.domain.verdict import Finding, Gate, Outcome, RiskVerdict
from apps.risk.logic.card import score_card
from apps.risk.logic.edge import edge, outcomes_of
from apps.risk.logic.findings import finding
from apps.risk.logic.modifiers import news_points, score_moved
from apps.risk.logic.rules import RULES, Absence, Gated
from apps.risk.logic.score import score

#: "first_look": what a new pair is judged by within its first second. "full": everything was asked for.
Assessment = Literal["first_look", "full"]


def judge(
    *,
    analysis: Analysis,
    config: TradingConfig,
    config_revision: int,
    assessment: Assessment = "first_look",
) -> RiskVerdict:
    """Return the verdict: the answer of every rule whose gate is not off, and the score."""
    findings = tuple(
        _answer(rule, analysis, config, gate, assessment)
        for rule in RULES
        if (gate := getattr(config.gates, rule.name)) is not Gate.OFF
    )
    outcome = outcome_of(findings)
    scored = score(analysis, weights=config.weights.of(analysis.listing.base.chain_key))
    moved = news_points(analysis, config.influence)
    return RiskVerdict(
        trace_id=analysis.trace_id,
        pair_key=analysis.listing.pair_key,
        outcome=outcome,
        score_bps=None if scored.score_bps is None else score_moved(scored.score_bps, moved),
        findings=findings,
        config_revision=config_revision,
        confidence_bps=scored.confidence_bps,
        card=score_card(
            scored=scored,
            moved_bps=moved,
            edge=edge(outcomes_of(analysis)),
            outcome=outcome,
            findings=findings,
            config=config,
        ),
    )


def _answer(
    rule: Gated, analysis: Analysis, config: TradingConfig, gate: Gate, assessment: Assessment
) -> Finding:
    if not rule.figure or analysis.estimate(rule.figure) is not None:
        found = replace(rule.check(analysis, config.rules), rule=rule.name, gate=gate)
        is_mild = (rule.unknown_warns and found.outcome is Outcome.UNKNOWN) or (
            rule.only_stricter and found.outcome is Outcome.PASS
        )
        return replace(found, gate=min(gate, Gate.WARN)) if is_mild else found
    refuses = rule.absence is Absence.REFUSES or (
        rule.absence is Absence.REFUSES_IN_FULL and assessment == "full"
    )
    return replace(
        finding(
            rule=rule.name,
            code="MISSING_IN_FULL_ASSESSMENT" if refuses else "NOT_ASKED",
            outcome=Outcome.UNKNOWN,
            detail=f"{rule.figure}=not asked",
            addition=rule.not_asked or f"the rule {rule.name.replace('_', ' ')}",
        ),
        gate=gate if refuses else min(gate, Gate.WARN),
    )


def outcome_of(findings: Iterable[Finding]) -> Outcome:
    """Return FAIL when a rule with a veto fails, else UNKNOWN when one cannot be answered, else PASS.

    No answers pass nothing: with every veto switched off a pair is never more than unknown.
    """
    outcomes = {item.outcome for item in findings if item.gate is Gate.VETO}
    if Outcome.FAIL in outcomes:
        return Outcome.FAIL
    return Outcome.PASS if outcomes == {Outcome.PASS} else Outcome.UNKNOWN
