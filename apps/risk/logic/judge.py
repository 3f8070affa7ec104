"""All rules and the score, put together."""

from __future__ import annotations

from collections.abc import Iterable

from apps.domain.analysis import Analysis
from apps.domain.config import TradingConfig
from apps.domain.verdict import Finding, Outcome, RiskVerdict
from apps.risk.logic.rules import RULES
from apps.risk.logic.score import score


def judge(*, analysis: Analysis, config: TradingConfig, config_revision: int) -> RiskVerdict:
    """Return the verdict: every rule's answer and the provisional score."""
    findings = tuple(rule(analysis, config.rules) for rule in RULES)
    scored = score(analysis)
    return RiskVerdict(
        trace_id=analysis.trace_id,
        pair_key=analysis.listing.pair_key,
        outcome=outcome_of(findings),
        score_bps=scored.score_bps,
        findings=findings,
        config_revision=config_revision,
        confidence_bps=scored.confidence_bps,
    )


def outcome_of(findings: Iterable[Finding]) -> Outcome:
    """Return FAIL when one rule fails, else UNKNOWN when one cannot be answered, else PASS; no answers pass nothing."""
    outcomes = {item.outcome for item in findings}
    if Outcome.FAIL in outcomes:
        return Outcome.FAIL
    return Outcome.PASS if outcomes == {Outcome.PASS} else Outcome.UNKNOWN
