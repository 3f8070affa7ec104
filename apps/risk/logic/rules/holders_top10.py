"""Few large holders move the price at will."""

from __future__ import annotations

from apps.domain.analysis import Analysis
from apps.domain.config import Rules
from apps.domain.verdict import Finding
from apps.risk.logic.findings import Threshold

_THRESHOLD = Threshold(
    rule="holders_top10",
    figure="holders_top10_bps",
    passed="HOLDERS_SPREAD",
    failed="HOLDERS_CONCENTRATED",
    unknown="HOLDERS_UNKNOWN",
)


def check(analysis: Analysis, rules: Rules) -> Finding:
    """Return whether the ten largest holders have little enough together."""
    return _THRESHOLD.at_most(analysis, rules.holders_top10_max_bps)
