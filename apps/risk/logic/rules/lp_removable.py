"""Liquidity that its provider can take out at once is the most common way to rob buyers."""

from __future__ import annotations

from apps.domain.analysis import Analysis
from apps.domain.config import Rules
from apps.domain.verdict import Finding
from apps.risk.logic.findings import Threshold

_THRESHOLD = Threshold(
    rule="lp_removable",
    figure="lp_removable_bps",
    passed="LIQUIDITY_HELD",
    failed="LIQUIDITY_REMOVABLE",
    unknown="LIQUIDITY_HOLD_UNKNOWN",
)


def check(analysis: Analysis, rules: Rules) -> Finding:
    """Return whether enough of the pool's liquidity is burned or locked."""
    return _THRESHOLD.at_most(analysis, rules.lp_removable_max_bps)
