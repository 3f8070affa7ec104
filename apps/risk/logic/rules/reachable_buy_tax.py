"""A tax that can be raised after the purchase counts as what it can be raised to."""

from __future__ import annotations

from apps.domain.analysis import Analysis
from apps.domain.config import Rules
from apps.domain.verdict import Finding, Outcome
from apps.risk.logic.findings import Threshold, finding

_THRESHOLD = Threshold(
    rule="reachable_buy_tax",
    figure="max_reachable_buy_tax_bps",
    passed="REACHABLE_BUY_TAX_ACCEPTABLE",
    failed="REACHABLE_BUY_TAX_ABOVE_MAXIMUM",
    unknown="REACHABLE_BUY_TAX_UNKNOWN",
)


def check(analysis: Analysis, rules: Rules) -> Finding:
    """Return whether nobody can raise the tax on buying above what is allowed."""
    if rules.owner_control_allowed:
        return finding(rule=_THRESHOLD.rule, code="OWNER_CONTROL_ALLOWED", outcome=Outcome.PASS)
    return _THRESHOLD.at_most(analysis, rules.reachable_buy_tax_max_bps)
