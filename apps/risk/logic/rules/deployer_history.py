"""Who emptied pools before will do it again, under the same name or with the same money."""

from __future__ import annotations

from apps.domain.analysis import Analysis
from apps.domain.config import Rules
from apps.domain.verdict import Finding, Outcome
from apps.risk.logic.findings import finding, unknown_finding

_RULE = "deployer_history"


def check(analysis: Analysis, rules: Rules) -> Finding:
    """Return whether too many earlier tokens of the deployer, or of all who launch with his money, died.

    Few tokens prove little: the lower end of the interval must lie above the limit to fail. A first token passes. That
    nobody knows whose money it is proves nothing either: most public nodes cannot tell.
    """
    own = _of_creator(analysis, rules)
    return own if own.outcome is Outcome.FAIL else _of_cluster(analysis, rules) or own


def _of_creator(analysis: Analysis, rules: Rules) -> Finding:
    tokens, dead = analysis.estimate("deployer_tokens"), analysis.estimate("deployer_dead_bps")
    if tokens is None or tokens.value is None:
        return unknown_finding(rule=_RULE, code="DEPLOYER_UNKNOWN", estimate=tokens, name="deployer_tokens")
    if tokens.value == 0:
        return finding(rule=_RULE, code="DEPLOYER_NEW", outcome=Outcome.PASS, detail="deployer_tokens=0")
    if dead is None or dead.value is None or dead.low is None:
        return unknown_finding(rule=_RULE, code="DEPLOYER_UNKNOWN", estimate=dead, name="deployer_dead_bps")
    is_good = dead.low <= rules.deployer_rug_share_max_bps
    return finding(
        rule=_RULE,
        code="DEPLOYER_ACCEPTABLE" if is_good else "DEPLOYER_RUG_HISTORY",
        outcome=Outcome.PASS if is_good else Outcome.FAIL,
        detail=f"deployer_tokens={tokens.value:f} deployer_dead_bps={dead.value:f} deployer_dead_low_bps={dead.low:f}"
        f" maximum_bps={rules.deployer_rug_share_max_bps}",
    )


def _of_cluster(analysis: Analysis, rules: Rules) -> Finding | None:
    """Return the failure of those who launch with the same money, None when they do not speak against it."""
    tokens, dead = (
        analysis.estimate("deployer_cluster_tokens"),
        analysis.estimate("deployer_cluster_dead_bps"),
    )
    if tokens is None or not tokens.value or dead is None or dead.value is None or dead.low is None:
        return None
    if dead.low <= rules.deployer_rug_share_max_bps:
        return None
    return finding(
        rule=_RULE,
        code="DEPLOYER_MONEY_RUG_HISTORY",
        outcome=Outcome.FAIL,
        detail=f"deployer_cluster_tokens={tokens.value:f} deployer_cluster_dead_bps={dead.value:f}"
        f" deployer_cluster_dead_low_bps={dead.low:f} maximum_bps={rules.deployer_rug_share_max_bps}",
    )
