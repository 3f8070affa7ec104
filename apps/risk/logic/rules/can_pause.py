"""Trading that can be switched off leaves us with tokens that nobody can sell."""

from __future__ import annotations

from apps.domain.analysis import Analysis
from apps.domain.config import Rules
from apps.domain.verdict import Finding
from apps.risk.logic.findings import YesNo

_QUESTION = YesNo(
    rule="can_pause",
    figure="can_pause",
    is_good=False,
    passed="PAUSE_IMPOSSIBLE",
    failed="PAUSE_POSSIBLE",
    unknown="PAUSE_UNKNOWN",
)


def check(analysis: Analysis, rules: Rules) -> Finding:
    """Return whether nobody can switch trading off."""
    return _QUESTION.answer(analysis, is_allowed=rules.owner_control_allowed)
