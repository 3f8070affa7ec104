"""Code that can be exchanged can become anything."""

from __future__ import annotations

from apps.domain.analysis import Analysis
from apps.domain.config import Rules
from apps.domain.verdict import Finding
from apps.risk.logic.findings import YesNo

_QUESTION = YesNo(
    rule="can_upgrade",
    figure="can_upgrade",
    is_good=False,
    passed="UPGRADE_IMPOSSIBLE",
    failed="UPGRADE_POSSIBLE",
    unknown="UPGRADE_UNKNOWN",
)


def check(analysis: Analysis, _rules: Rules) -> Finding:
    """Return whether nobody can exchange the code."""
    return _QUESTION.answer(analysis)
