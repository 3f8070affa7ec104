"""A token that behaves differently in two simulations recognises one of them."""

from __future__ import annotations

from apps.domain.analysis import Analysis
from apps.domain.config import Rules
from apps.domain.verdict import Finding
from apps.risk.logic.findings import YesNo

_QUESTION = YesNo(
    rule="probe_disagreement",
    figure="probe_disagreement",
    is_good=False,
    passed="PROBES_AGREE",
    failed="PROBES_DISAGREE",
    unknown="PROBES_UNKNOWN",
)


def check(analysis: Analysis, _rules: Rules) -> Finding:
    """Return whether all ways of simulating the trade agree."""
    return _QUESTION.answer(analysis)
