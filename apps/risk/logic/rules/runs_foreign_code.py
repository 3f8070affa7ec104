"""Code that runs other code as its own can become anything that the other code is."""

from __future__ import annotations

from apps.domain.analysis import Analysis
from apps.domain.config import Rules
from apps.domain.verdict import Finding
from apps.risk.logic.findings import YesNo

_QUESTION = YesNo(
    rule="runs_foreign_code",
    figure="runs_foreign_code",
    is_good=False,
    passed="RUNS_OWN_CODE",
    failed="RUNS_FOREIGN_CODE",
    unknown="FOREIGN_CODE_UNKNOWN",
)


def check(analysis: Analysis, _rules: Rules) -> Finding:
    """Return whether the token runs no other contract's code as its own."""
    return _QUESTION.answer(analysis)
