"""A small share of the supply can be large against a small pool: what counts is how far its sale moves the price.

Those whom the creator gave tokens, or paid for their first step, sell with him, so they count in.
"""

from __future__ import annotations

from apps.domain.analysis import Analysis
from apps.domain.config import Rules
from apps.domain.verdict import Finding, Outcome
from apps.risk.logic.findings import Threshold

_CREATOR = Threshold(
    rule="creator_dump",
    figure="creator_dump_drop_bps",
    passed="CREATOR_DUMP_BEARABLE",
    failed="CREATOR_DUMP_TOO_DEEP",
    unknown="CREATOR_DUMP_UNKNOWN",
)
_CLUSTER = Threshold(
    rule="creator_dump",
    figure="deployer_cluster_dump_drop_bps",
    passed="CREATOR_SIDE_DUMP_BEARABLE",
    failed="CREATOR_SIDE_DUMP_TOO_DEEP",
    unknown="CREATOR_DUMP_UNKNOWN",
)


def check(analysis: Analysis, rules: Rules) -> Finding:
    """Return whether the price bears that creator, owner and those they supplied sell everything at once."""
    alone = _CREATOR.at_most(analysis, rules.holder_dump_max_bps)
    if alone.outcome is not Outcome.PASS or analysis.estimate(_CLUSTER.figure) is None:
        return alone
    return _CLUSTER.at_most(analysis, rules.holder_dump_max_bps)
