"""Only pools against the chain's own coin can be paid for so far."""

from __future__ import annotations

from apps.domain.analysis import Analysis
from apps.domain.config import Rules
from apps.domain.verdict import Finding, Outcome
from apps.risk.logic.findings import finding, is_true, unknown_finding

_RULE = "quote_supported"


def check(analysis: Analysis, _rules: Rules) -> Finding:
    """Return whether the pool's quote token is the wrapped native coin."""
    estimate = analysis.estimate("quote_is_native")
    is_native = is_true(estimate)
    if is_native is None:
        return unknown_finding(rule=_RULE, code="QUOTE_UNKNOWN", estimate=estimate, name="quote_is_native")
    return finding(
        rule=_RULE,
        code="QUOTE_SUPPORTED" if is_native else "QUOTE_NOT_SUPPORTED",
        outcome=Outcome.PASS if is_native else Outcome.FAIL,
        detail=f"quote={analysis.listing.quote.address}",
    )
