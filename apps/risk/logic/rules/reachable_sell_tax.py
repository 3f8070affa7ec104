"""A tax that can be raised after the purchase counts as what it can be raised to."""

from __future__ import annotations

from apps.domain.analysis import Analysis
from apps.domain.config import Rules
from apps.domain.verdict import Finding, Outcome
from apps.risk.logic.findings import Threshold, finding

_THRESHOLD = Threshold(
    rule="reachable_sell_tax",
    figure="max_reachable_sell_tax_bps",
    passed="REACHABLE_SELL_TAX_ACCEPTABLE",
    failed="REACHABLE_SELL_TAX_ABOVE_MAXIMUM",
    unknown="REACHABLE_SELL_TAX_UNKNOWN",
)


def check(analysis: Analysis, rules: Rules) -> Finding:
    """Return whether nobody can raise the tax on selling above what is allowed."""
    if rules.owner_control_allowed:
        return finding(rule=_THRESHOLD.rule, code="OWNER_CONTROL_ALLOWED", outcome=Outcome.PASS)
    return _THRESHOLD.at_most(analysis, rules.reachable_sell_tax_max_bps)
