"""Whoever holds much against a small pool decides about the price, whether he made the token or not.

One holder alone is held to the limit of the creator's side: nothing tells them apart from outside. The five largest
together are measured too, but early buyers of an honest launch that has risen look the same, so that only warns unless its
gate says otherwise.
"""

from __future__ import annotations

from apps.domain.analysis import Analysis
from apps.domain.config import Rules
from apps.domain.verdict import Finding
from apps.risk.logic.findings import Threshold

_ONE = Threshold(
    rule="holder_dump_top1",
    figure="holder_dump_top1_bps",
    passed="LARGEST_HOLDER_BEARABLE",
    failed="LARGEST_HOLDER_TOO_LARGE",
    unknown="LARGEST_HOLDER_UNKNOWN",
)
_FIVE = Threshold(
    rule="holder_dump_top5",
    figure="holder_dump_top5_bps",
    passed="LARGE_HOLDERS_BEARABLE",
    failed="LARGE_HOLDERS_TOO_LARGE",
    unknown="LARGE_HOLDERS_UNKNOWN",
)


def check_largest(analysis: Analysis, rules: Rules) -> Finding:
    """Return whether the price bears that the largest holder sells everything at once."""
    return _ONE.at_most(analysis, rules.holder_dump_top1_max_bps)


def check_five(analysis: Analysis, rules: Rules) -> Finding:
    """Return whether the price bears that the five largest holders sell everything at once."""
    return _FIVE.at_most(analysis, rules.holder_dump_top5_max_bps)
