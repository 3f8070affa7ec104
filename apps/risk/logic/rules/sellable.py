"""What cannot be sold again must not be bought: both ways of simulating the sale must work."""

from __future__ import annotations

from apps.domain.analysis import Analysis
from apps.domain.config import Rules
from apps.domain.verdict import Finding, Outcome
from apps.risk.logic.findings import finding, is_true, unknown_finding

_RULE = "sellable"
_SALES = ("sellable", "sellable_next_block")
_FIGURES = ("buyable", *_SALES, "probe_disagreement")


def check(analysis: Analysis, _rules: Rules) -> Finding:
    """Return whether a simulated buy could be sold at once and in the next block, by two methods that agree."""
    detail = " ".join(f"{name}={_word(is_true(analysis.estimate(name)))}" for name in _FIGURES)
    if is_true(analysis.estimate("probe_disagreement")):
        return finding(rule=_RULE, code="PROBES_DISAGREE", outcome=Outcome.FAIL, detail=detail)
    if any(is_true(analysis.estimate(name)) is False for name in _SALES):
        return finding(rule=_RULE, code="SELL_BLOCKED", outcome=Outcome.FAIL, detail=detail)
    if is_true(analysis.estimate("buyable")) is False:
        reason = next(
            (item.reason_unknown for item in map(analysis.estimate, _SALES) if item and item.reason_unknown),
            "",
        )
        return finding(
            rule=_RULE, code="TRADING_NOT_OPEN", outcome=Outcome.FAIL, detail=detail, addition=reason
        )
    for name in _FIGURES:
        estimate = analysis.estimate(name)
        if estimate is None or estimate.value is None:
            return unknown_finding(rule=_RULE, code="SELLABLE_UNKNOWN", estimate=estimate, name=name)
    return finding(rule=_RULE, code="SELLABLE", outcome=Outcome.PASS, detail=detail)


def _word(value: bool | None) -> str:  # noqa: FBT001  # the word of a single value
    return "unknown" if value is None else "yes" if value else "no"
