"""Everything that is known about a pair, put together."""

from __future__ import annotations

from collections.abc import Callable

from apps.domain.analysis import Analysis
from apps.domain.estimate import Estimate
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

Part = Callable[[Subject], tuple[Estimate, ...]]
Run = Callable[[str, Part, Subject], tuple[Estimate, ...]]


def _plainly(_: str, part: Part, subject: Subject) -> tuple[Estimate, ...]:
    return part(subject)


def analyse(subject: Subject, *, run: Run = _plainly) -> Analysis:
    """Return the analysis of a pair as of the facts' block. ``run`` runs one part by its name: a caller may time it."""
    missing, probes = set(subject.missing), subject.facts.probes
    if subject.history is None:
        missing.add("deployer_history")
    return Analysis(
        trace_id=subject.listing.trace_id,
        listing=subject.listing,
        block=subject.facts.block,
        estimates=tuple(
            estimate for part in _PARTS for estimate in run(part.__module__.rpartition(".")[2], part, subject)
        ),
        missing=tuple(sorted(missing)),
        evidence=() if probes is None else (*trades.evidence(probes), *powers.evidence(probes)),
    )
