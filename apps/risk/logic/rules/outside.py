"""Second opinions: what outside services warn of, and where they contradict what we measured ourselves.

They can only make a verdict stricter: their praise proves nothing, since every one of them can be deceived.
"""

from __future__ import annotations

from collections import defaultdict

from apps.domain.analysis import Analysis
from apps.domain.config import Rules
from apps.domain.opinion import DANGER_WORDS
from apps.domain.verdict import Finding, Outcome
from apps.risk.logic.findings import Threshold, finding, is_true, unknown_finding

DANGER, CONTRADICTION = "outside_danger", "outside_contradiction"
NOT_CONFIGURED = "no outside service that knows this chain is configured"
_TAXES = ("outside_buy_tax_bps", "outside_sell_tax_bps")
_CONTRADICTION = Threshold(
    rule=CONTRADICTION,
    figure="outside_contradiction_bps",
    passed="OUTSIDE_AGREES",
    failed="OUTSIDE_CONTRADICTS",
    unknown="OUTSIDE_CONTRADICTION_UNKNOWN",
)


def check_danger(analysis: Analysis, _: Rules) -> Finding:
    """Return whether an outside service warns of the token, with each service and what it says."""
    summary = analysis.estimate(DANGER)
    warns = is_true(summary)
    if summary is None or warns is None:
        return unknown_finding(rule=DANGER, code="OUTSIDE_UNKNOWN", estimate=summary, name=DANGER)
    if not warns:
        return finding(
            rule=DANGER,
            code="OUTSIDE_NO_WARNING",
            outcome=Outcome.PASS,
            detail=_figures(analysis),
            addition=summary.source,
        )
    return finding(
        rule=DANGER,
        code="OUTSIDE_WARNS",
        outcome=Outcome.FAIL,
        detail=_figures(analysis),
        addition=_warnings(analysis) or summary.source,
    )


def check_contradiction(analysis: Analysis, rules: Rules) -> Finding:
    """Return whether outside services and our own simulation are close enough, naming who is furthest."""
    answer = _CONTRADICTION.at_most(analysis, rules.outside_contradiction_max_bps)
    widest = analysis.estimate(_CONTRADICTION.figure)
    if answer.outcome is not Outcome.FAIL or widest is None:
        return answer
    return finding(
        rule=CONTRADICTION,
        code=answer.code,
        outcome=answer.outcome,
        detail=f"{answer.detail} {_figures(analysis)}".strip(),
        addition=widest.source,
    )


def _warnings(analysis: Analysis) -> str:
    """Return who warns of what: "GoPlus warns of a honeypot and a hidden owner; honeypot.is of a honeypot"."""
    by_service: dict[str, list[str]] = defaultdict(list)
    for danger, words in DANGER_WORDS.items():
        item = analysis.estimate(f"outside_{danger.value}")
        for service in item.source.split(", ") if item is not None and is_true(item) else ():
            by_service[service].append(words)
    return "; ".join(f"{service} warns of {' and '.join(words)}" for service, words in by_service.items())


def _figures(analysis: Analysis) -> str:
    taxes = ((name, analysis.estimate(name)) for name in _TAXES)
    return " ".join(f"{name}={item.value:f}" for name, item in taxes if item and item.value is not None)
