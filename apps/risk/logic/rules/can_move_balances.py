"""Tokens that can be taken out of our wallet are not ours."""

from __future__ import annotations

from apps.domain.analysis import Analysis
from apps.domain.config import Rules
from apps.domain.verdict import Finding
from apps.risk.logic.findings import YesNo

_QUESTION = YesNo(
    rule="can_move_balances",
    figure="can_move_balances",
    is_good=False,
    passed="SEIZURE_IMPOSSIBLE",
    failed="SEIZURE_POSSIBLE",
    unknown="SEIZURE_UNKNOWN",
)


def check(analysis: Analysis, _rules: Rules) -> Finding:
    """Return whether nobody can take tokens out of wallets."""
    return _QUESTION.answer(analysis)
