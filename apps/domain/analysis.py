"""What is known about a pair at one moment."""

from __future__ import annotations

from dataclasses import dataclass

from apps.domain.estimate import Estimate
from apps.domain.ids import TraceId
from apps.domain.market import BlockRef, Listing
from apps.domain.probes import ProbeCall


@dataclass(frozen=True, slots=True, kw_only=True)
class Evidence:
    """What shows an estimate: simulated calls in order, on top of ``block``; anyone can make them again.

    ``code`` is the estimate's, ``summary`` says in plain words what the calls did.
    """

    code: str
    summary: str
    block: BlockRef
    calls: tuple[ProbeCall, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Analysis:
    """All estimates about one listing at one block; ``missing`` names what was asked for and not obtained."""

    trace_id: TraceId
    listing: Listing
    block: BlockRef
    estimates: tuple[Estimate, ...]
    missing: tuple[str, ...]
    evidence: tuple[Evidence, ...] = ()

    def estimate(self, code: str) -> Estimate | None:
        """Return the estimate with this code, or None when it was never asked for."""
        return next((item for item in self.estimates if item.code == code), None)
