"""A token that can only be sold whole, or only once, keeps a position from being reduced."""

from __future__ import annotations

from apps.domain.analysis import Analysis
from apps.domain.config import Rules
from apps.domain.verdict import Finding
from apps.risk.logic.findings import YesNo

_QUESTION = YesNo(
    rule="sellable_in_parts",
    figure="sellable_in_parts",
    is_good=True,
    passed="SELLABLE_IN_PARTS",
    failed="PARTS_BLOCKED",
    unknown="PARTS_UNKNOWN",
)


def check(analysis: Analysis, _rules: Rules) -> Finding:
    """Return whether a holding can be sold in parts, one after the other."""
    return _QUESTION.answer(analysis)
