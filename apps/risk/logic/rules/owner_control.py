"""An owner who can change the rules after the purchase can make any token unsellable."""

from __future__ import annotations

from apps.domain.analysis import Analysis
from apps.domain.config import Rules
from apps.domain.verdict import Finding, Outcome
from apps.risk.logic.findings import finding, is_true, unknown_finding

_RULE = "owner_control"
_FAMILY_PREFIX = "owner_control_"
#: What each family of functions lets an owner do.
_POWERS = {
    "tax": "raise taxes",
    "limit": "cut down how much may be traded or held",
    "block": "keep single holders from selling",
    "pause": "switch trading off",
    "mint": "make new tokens",
    "exempt": "put holders above the rules",
    "seize": "take tokens out of wallets",
    "upgrade": "exchange the code",
}


def check(analysis: Analysis, rules: Rules) -> Finding:
    """Return whether somebody commands functions that change taxes, limits, balances or code."""
    estimate = analysis.estimate("owner_controls")
    controls = is_true(estimate)
    families = [
        item.code.removeprefix(_FAMILY_PREFIX)
        for item in analysis.estimates
        if item.code.startswith(_FAMILY_PREFIX) and is_true(item)
    ]
    found = f"controls={','.join(families) or ('unknown' if controls is None else 'none')}"
    if rules.owner_control_allowed:
        return finding(rule=_RULE, code="OWNER_CONTROL_ALLOWED", outcome=Outcome.PASS, detail=found)
    if controls is None:
        return unknown_finding(
            rule=_RULE, code="OWNER_CONTROL_UNKNOWN", estimate=estimate, name="owner_controls"
        )
    if not controls:
        return finding(rule=_RULE, code="OWNER_POWERLESS", outcome=Outcome.PASS, detail=found)
    powers = ", ".join(_POWERS.get(family, family) for family in families)
    return finding(rule=_RULE, code="OWNER_CONTROLS", outcome=Outcome.FAIL, detail=found, addition=powers)
