"""A trap can open at another size than the one that was tried: smaller and larger trades are simulated too."""

from __future__ import annotations

from apps.domain.analysis import Analysis
from apps.domain.config import Rules
from apps.domain.verdict import Finding
from apps.risk.logic.findings import YesNo

_QUESTION = YesNo(
    rule="size_dependent",
    figure="size_dependent",
    is_good=False,
    passed="SIZE_INDIFFERENT",
    failed="SIZE_DEPENDENT",
    unknown="SIZE_DEPENDENCE_UNKNOWN",
)


def check(analysis: Analysis, _rules: Rules) -> Finding:
    """Return whether trades of other sizes go as the intended one does."""
    return _QUESTION.answer(analysis)
