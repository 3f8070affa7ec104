"""Only new listings are traded."""

from __future__ import annotations

from apps.domain.analysis import Analysis
from apps.domain.config import Rules
from apps.domain.verdict import Finding
from apps.risk.logic.findings import Threshold

_THRESHOLD = Threshold(
    rule="pair_age",
    figure="pair_age_s",
    passed="PAIR_YOUNG",
    failed="PAIR_TOO_OLD",
    unknown="PAIR_AGE_UNKNOWN",
)


def check(analysis: Analysis, rules: Rules) -> Finding:
    """Return whether the pair is young enough."""
    return _THRESHOLD.at_most(analysis, rules.pair_age_max_s)
