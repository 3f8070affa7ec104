"""A contract that can delete itself can take all balances with it."""

from __future__ import annotations

from apps.domain.analysis import Analysis
from apps.domain.config import Rules
from apps.domain.verdict import Finding
from apps.risk.logic.findings import YesNo

_QUESTION = YesNo(
    rule="can_selfdestruct",
    figure="can_selfdestruct",
    is_good=False,
    passed="SELFDESTRUCT_ABSENT",
    failed="SELFDESTRUCT_PRESENT",
    unknown="SELFDESTRUCT_UNKNOWN",
)


def check(analysis: Analysis, _rules: Rules) -> Finding:
    """Return whether the code cannot delete itself."""
    return _QUESTION.answer(analysis)
