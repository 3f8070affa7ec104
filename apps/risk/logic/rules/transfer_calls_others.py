"""A transfer that asks other contracts obeys them: they can say no when it suits them."""

from __future__ import annotations

from apps.domain.analysis import Analysis
from apps.domain.config import Rules
from apps.domain.verdict import Finding
from apps.risk.logic.findings import YesNo

_QUESTION = YesNo(
    rule="transfer_calls_others",
    figure="transfer_calls_others",
    is_good=False,
    passed="TRANSFER_STANDS_ALONE",
    failed="TRANSFER_CALLS_OTHERS",
    unknown="TRANSFER_CALLS_UNKNOWN",
)


def check(analysis: Analysis, _rules: Rules) -> Finding:
    """Return whether a transfer asks no other contract."""
    return _QUESTION.answer(analysis)
