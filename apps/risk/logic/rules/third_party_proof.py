"""What no simulation can fake: unrelated people who did sell.

When n of them sold and none was seen to fail, at most 3/n of all sellers are blocked, with 95 % confidence (the rule of
three). They could still be on a list of friends, so it is one more proof and not the only one.
"""

from __future__ import annotations

from decimal import ROUND_CEILING, Decimal

from apps.domain.analysis import Analysis
from apps.domain.config import Rules
from apps.domain.money import BPS_ONE
from apps.domain.verdict import Finding, Outcome
from apps.risk.logic.findings import finding, unknown_finding

_RULE = "third_party_proof"
#: -ln(0.05), rounded up.
_RULE_OF_THREE = 3


def check(analysis: Analysis, rules: Rules) -> Finding:
    """Return whether enough distinct unrelated people were seen to have sold."""
    sellers = analysis.estimate("sellers_count")
    if sellers is None or sellers.value is None:
        return unknown_finding(
            rule=_RULE, code="THIRD_PARTY_PROOF_UNKNOWN", estimate=sellers, name="sellers_count"
        )
    count = sellers.value if sellers.low is None else sellers.low
    is_enough = count >= rules.sellers_min
    return finding(
        rule=_RULE,
        code="THIRD_PARTIES_SELL" if is_enough else "THIRD_PARTY_PROOF_THIN",
        outcome=Outcome.PASS if is_enough else Outcome.FAIL,
        detail=f"sellers={count:f} minimum={rules.sellers_min} blocked_share_bound_bps={blocked_share_bound_bps(count)}",
    )


def blocked_share_bound_bps(sellers: Decimal) -> int:
    """Return the upper end (95 %) of the share of blocked sellers after so many sold and none failed, rounded up."""
    if sellers <= _RULE_OF_THREE:
        return BPS_ONE
    return int((_RULE_OF_THREE * BPS_ONE / sellers).to_integral_value(rounding=ROUND_CEILING))
