"""A small share of the supply can be large against a small pool: what counts is how far its sale moves the price."""

from __future__ import annotations

from apps.domain.analysis import Analysis
from apps.domain.config import Rules
from apps.domain.verdict import Finding
from apps.risk.logic.findings import Threshold

_THRESHOLD = Threshold(
    rule="creator_dump",
    figure="creator_dump_drop_bps",
    passed="CREATOR_DUMP_BEARABLE",
    failed="CREATOR_DUMP_TOO_DEEP",
    unknown="CREATOR_DUMP_UNKNOWN",
)


def check(analysis: Analysis, rules: Rules) -> Finding:
    """Return whether the price bears that creator and owner sell everything at once."""
    return _THRESHOLD.at_most(analysis, rules.holder_dump_max_bps)
