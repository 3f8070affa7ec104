"""A blocked holder cannot sell, and we are a holder."""

from __future__ import annotations

from apps.domain.analysis import Analysis
from apps.domain.config import Rules
from apps.domain.verdict import Finding
from apps.risk.logic.findings import YesNo

_QUESTION = YesNo(
    rule="can_blacklist",
    figure="can_blacklist",
    is_good=False,
    passed="BLACKLIST_IMPOSSIBLE",
    failed="BLACKLIST_POSSIBLE",
    unknown="BLACKLIST_UNKNOWN",
)


def check(analysis: Analysis, rules: Rules) -> Finding:
    """Return whether nobody can block single holders."""
    return _QUESTION.answer(analysis, is_allowed=rules.owner_control_allowed)
