"""Some traps arm themselves by the next purchase: what was bought must be sellable behind another buyer, too."""

from __future__ import annotations

from apps.domain.analysis import Analysis
from apps.domain.config import Rules
from apps.domain.verdict import Finding
from apps.risk.logic.findings import YesNo

_QUESTION = YesNo(
    rule="sellable_behind_buyer",
    figure="sellable_behind_buyer",
    is_good=True,
    passed="SELLABLE_BEHIND_BUYER",
    failed="BLOCKED_BEHIND_BUYER",
    unknown="BEHIND_BUYER_UNKNOWN",
)


def check(analysis: Analysis, _rules: Rules) -> Finding:
    """Return whether what was bought can be sold after somebody else has bought."""
    return _QUESTION.answer(analysis)
