"""Tokens made out of nothing are sold into the pool for our coins."""

from __future__ import annotations

from apps.domain.analysis import Analysis
from apps.domain.config import Rules
from apps.domain.verdict import Finding
from apps.risk.logic.findings import YesNo

_QUESTION = YesNo(
    rule="can_mint",
    figure="can_mint",
    is_good=False,
    passed="MINT_IMPOSSIBLE",
    failed="MINT_POSSIBLE",
    unknown="MINT_UNKNOWN",
)


def check(analysis: Analysis, rules: Rules) -> Finding:
    """Return whether nobody can make new tokens."""
    return _QUESTION.answer(analysis, is_allowed=rules.owner_control_allowed)
