"""Liquidity that its provider can take out at once is the most common way to rob buyers. A short lock only delays it."""

from __future__ import annotations

from decimal import Decimal

from apps.domain.analysis import Analysis
from apps.domain.config import Rules
from apps.domain.verdict import Finding, Outcome
from apps.risk.logic.findings import Threshold, finding, unknown_finding

_RULE, _LOCKED, _UNTIL = "lp_removable", "lp_locked_bps", "lp_locked_until_s"
_THRESHOLD = Threshold(
    rule=_RULE,
    figure="lp_removable_bps",
    passed="LIQUIDITY_HELD",
    failed="LIQUIDITY_REMOVABLE",
    unknown="LIQUIDITY_HOLD_UNKNOWN",
)


def check(analysis: Analysis, rules: Rules) -> Finding:
    """Return whether enough of the pool's liquidity is burned, or locked for long enough."""
    answer = _THRESHOLD.at_most(analysis, rules.lp_removable_max_bps)
    removable, locked = analysis.estimate(_THRESHOLD.figure), analysis.estimate(_LOCKED)
    if answer.outcome is not Outcome.PASS or removable is None or removable.value is None:
        return answer
    if locked is None or not locked.value:
        return answer
    both = (removable.high or Decimal(0)) + locked.value
    if both <= rules.lp_removable_max_bps:  # it would do without any lock
        return answer
    until = analysis.estimate(_UNTIL)
    if until is None or until.value is None:
        return unknown_finding(rule=_RULE, code="LIQUIDITY_LOCK_UNKNOWN", estimate=until, name=_UNTIL)
    if until.value < rules.lp_lock_min_s:
        return finding(
            rule=_RULE,
            code="LIQUIDITY_LOCK_ENDS_SOON",
            outcome=Outcome.FAIL,
            detail=f"{_THRESHOLD.figure}={both:f} maximum={rules.lp_removable_max_bps} "
            f"{_UNTIL}={until.value:f} minimum={rules.lp_lock_min_s}",
        )
    return answer
