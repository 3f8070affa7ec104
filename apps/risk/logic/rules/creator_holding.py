"""What the maker holds can be sold against us."""

from __future__ import annotations

from apps.domain.analysis import Analysis
from apps.domain.config import Rules
from apps.domain.verdict import Finding
from apps.risk.logic.findings import Threshold

_THRESHOLD = Threshold(
    rule="creator_holding",
    figure="creator_holding_bps",
    passed="CREATOR_HOLDING_SMALL",
    failed="CREATOR_HOLDING_ABOVE_MAXIMUM",
    unknown="CREATOR_HOLDING_UNKNOWN",
)


def check(analysis: Analysis, rules: Rules) -> Finding:
    """Return whether creator and owner hold little enough."""
    return _THRESHOLD.at_most(analysis, rules.creator_holding_max_bps)
