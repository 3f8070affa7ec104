"""A token can be made to stop selling after some blocks or hours: the sale is simulated then, too."""

from __future__ import annotations

from apps.domain.analysis import Analysis
from apps.domain.config import Rules
from apps.domain.verdict import Finding
from apps.risk.logic.findings import YesNo

_QUESTION = YesNo(
    rule="sellable_later",
    figure="sellable_later",
    is_good=True,
    passed="SELLABLE_LATER",
    failed="SELL_BLOCKED_LATER",
    unknown="SELLABLE_LATER_UNKNOWN",
)


def check(analysis: Analysis, _rules: Rules) -> Finding:
    """Return whether what is bought now could still be sold after many blocks."""
    return _QUESTION.answer(analysis)
