"""A pool must hold enough money to get out of again."""

from __future__ import annotations

from apps.domain.analysis import Analysis
from apps.domain.config import Rules
from apps.domain.money import raw_to_units
from apps.domain.verdict import Finding, Outcome
from apps.risk.logic.findings import finding, unknown_finding

_RULE = "liquidity"
_USD_DECIMALS = 6


def check(analysis: Analysis, rules: Rules) -> Finding:
    """Return whether the pool's quote side is worth enough."""
    estimate = analysis.estimate("liquidity_usd")
    if estimate is None or estimate.value is None:
        return unknown_finding(rule=_RULE, code="LIQUIDITY_UNKNOWN", estimate=estimate, name="liquidity_usd")
    worth = raw_to_units(int(estimate.value), _USD_DECIMALS)
    is_enough = worth >= rules.liquidity_min_usd
    return finding(
        rule=_RULE,
        code="LIQUIDITY_ENOUGH" if is_enough else "LIQUIDITY_BELOW_MINIMUM",
        outcome=Outcome.PASS if is_enough else Outcome.FAIL,
        detail=f"liquidity_usd={worth:f} minimum_usd={rules.liquidity_min_usd}",
    )
