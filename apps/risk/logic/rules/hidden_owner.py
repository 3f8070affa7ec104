"""A token whose ownership was given up can obey somebody else."""

from __future__ import annotations

from apps.domain.analysis import Analysis
from apps.domain.config import Rules
from apps.domain.verdict import Finding
from apps.risk.logic.findings import YesNo

_QUESTION = YesNo(
    rule="hidden_owner",
    figure="hidden_owner",
    is_good=False,
    passed="NO_HIDDEN_OWNER",
    failed="HIDDEN_OWNER",
    unknown="HIDDEN_OWNER_UNKNOWN",
)


def check(analysis: Analysis, _rules: Rules) -> Finding:
    """Return whether nobody but the stated owner commands the token."""
    return _QUESTION.answer(analysis)
