"""Buyers who act in concert leave together: the price is theirs."""

from __future__ import annotations

from apps.domain.analysis import Analysis
from apps.domain.config import Rules
from apps.domain.verdict import Finding
from apps.risk.logic.findings import Threshold

_THRESHOLD = Threshold(
    rule="coordination",
    figure="coordination_bps",
    passed="BUYERS_INDEPENDENT",
    failed="BUYERS_IN_CONCERT",
    unknown="COORDINATION_UNKNOWN",
)


def check(analysis: Analysis, rules: Rules) -> Finding:
    """Return whether the likelihood that buyers act in concert is low enough."""
    return _THRESHOLD.at_most(analysis, rules.coordination_max_bps)
