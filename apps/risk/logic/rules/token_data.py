"""A token whose own figures make no sense cannot be counted, so not be traded."""

from __future__ import annotations

from apps.domain.analysis import Analysis
from apps.domain.config import Rules
from apps.domain.verdict import Finding, Outcome
from apps.risk.logic.findings import finding, unknown_finding

_RULE = "token_data"
#: Honest tokens have 0 to 18, some up to 24 decimals; beyond this a whole token is no amount anybody deals in.
DECIMALS_SENSIBLE_MAX = 36


def check(analysis: Analysis, _rules: Rules) -> Finding:
    """Return whether supply and decimals are known and make sense. Unknown decimals never come so far: a listing has some."""
    decimals = analysis.listing.base.decimals
    supply = analysis.estimate("token_supply")
    if supply is None or supply.value is None:
        return unknown_finding(rule=_RULE, code="TOKEN_DATA_UNKNOWN", estimate=supply, name="token_supply")
    is_sensible = supply.value > 0 and decimals <= DECIMALS_SENSIBLE_MAX
    return finding(
        rule=_RULE,
        code="TOKEN_DATA_SOUND" if is_sensible else "TOKEN_DATA_SENSELESS",
        outcome=Outcome.PASS if is_sensible else Outcome.FAIL,
        detail=f"token_supply_raw={supply.value:f} decimals={decimals} decimals_maximum={DECIMALS_SENSIBLE_MAX}",
    )
