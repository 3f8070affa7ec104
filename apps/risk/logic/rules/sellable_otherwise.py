"""Some traps look at who trades, at what stands in the block, or at a moment that only their code names."""

from __future__ import annotations

from apps.domain.analysis import Analysis
from apps.domain.config import Rules
from apps.domain.verdict import Finding
from apps.risk.logic.findings import YesNo

_QUESTION = YesNo(
    rule="sellable_otherwise",
    figure="sellable_otherwise",
    is_good=True,
    passed="SELLABLE_OTHERWISE",
    failed="BLOCKED_OTHERWISE",
    unknown="OTHERWISE_UNKNOWN",
)


def check(analysis: Analysis, _rules: Rules) -> Finding:
    """Return whether others could sell, too, and we at moments and in blocks that the token may look at."""
    return _QUESTION.answer(analysis)
