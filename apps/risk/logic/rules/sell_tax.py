"""What a token takes of a sale eats the gain; a very high tax is a honeypot by another name."""

from __future__ import annotations

from apps.domain.analysis import Analysis
from apps.domain.config import Rules
from apps.domain.verdict import Finding
from apps.risk.logic.findings import Threshold

_THRESHOLD = Threshold(
    rule="sell_tax",
    figure="sell_tax_bps",
    passed="SELL_TAX_ACCEPTABLE",
    failed="SELL_TAX_ABOVE_MAXIMUM",
    unknown="SELL_TAX_UNKNOWN",
)


def check(analysis: Analysis, rules: Rules) -> Finding:
    """Return whether the highest measured tax on selling is allowed."""
    return _THRESHOLD.at_most(analysis, rules.sell_tax_max_bps)
