"""Everything that is known about a pair, put together."""

from __future__ import annotations

from apps.domain.analysis import Analysis
from apps.intelligence.logic import (
    age,
    code_history,
    contract,
    deployer,
    holders,
    liquidity,
    lockers,
    market,
    overhang,
    powers,
    safety,
    trades,
)
from apps.intelligence.logic.subject import Subject

#: In the order in which people read them.
_PARTS = (
    age.estimates,
    liquidity.estimates,
    lockers.estimates,
    safety.estimates,
    trades.estimates,
    contract.estimates,
    powers.estimates,
    holders.estimates,
    overhang.estimates,
    deployer.estimates,
    code_history.estimates,
    market.estimates,
)


def analyse(subject: Subject) -> Analysis:
    """Return the analysis of a pair as of the facts' block."""
    missing, probes = set(subject.missing), subject.facts.probes
    if subject.history is None:
        missing.add("deployer_history")
    return Analysis(
        trace_id=subject.listing.trace_id,
        listing=subject.listing,
        block=subject.facts.block,
        estimates=tuple(estimate for part in _PARTS for estimate in part(subject)),
        missing=tuple(sorted(missing)),
        evidence=() if probes is None else (*trades.evidence(probes), *powers.evidence(probes)),
    )
