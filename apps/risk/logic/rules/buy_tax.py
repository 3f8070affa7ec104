"""What a token takes of a purchase is money lost at once."""

from __future__ import annotations

from apps.domain.analysis import Analysis
from apps.domain.config import Rules
from apps.domain.verdict import Finding
from apps.risk.logic.findings import Threshold

_THRESHOLD = Threshold(
    rule="buy_tax",
    figure="buy_tax_bps",
    passed="BUY_TAX_ACCEPTABLE",
    failed="BUY_TAX_ABOVE_MAXIMUM",
    unknown="BUY_TAX_UNKNOWN",
)


def check(analysis: Analysis, rules: Rules) -> Finding:
    """Return whether the highest measured tax on buying is allowed."""
    return _THRESHOLD.at_most(analysis, rules.buy_tax_max_bps)
