"""Some tokens let only the first buyer sell, who is often a simulation: a fresh wallet must be able to as well."""

from __future__ import annotations

from apps.domain.analysis import Analysis
from apps.domain.config import Rules
from apps.domain.verdict import Finding
from apps.risk.logic.findings import YesNo

_QUESTION = YesNo(
    rule="sellable_from_fresh_wallet",
    figure="sellable_from_fresh_wallet",
    is_good=True,
    passed="FRESH_WALLET_SELLS",
    failed="FRESH_WALLET_BLOCKED",
    unknown="FRESH_WALLET_UNKNOWN",
)


def check(analysis: Analysis, _rules: Rules) -> Finding:
    """Return whether somebody who was given the token could sell it."""
    return _QUESTION.answer(analysis)
