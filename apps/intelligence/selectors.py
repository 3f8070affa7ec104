"""Reads analyses. Writes nothing."""

from __future__ import annotations

from apps.domain.analysis import Evidence
from apps.domain.estimate import Estimate
from apps.domain.probes import TokenProbes
from apps.intelligence.logic.probes_record import evidence_from_json, probes_from_json
from apps.intelligence.logic.record import estimates_from_json
from apps.intelligence.models import AnalysisRecord


def analysis_latest(*, pair_id: int) -> AnalysisRecord | None:
    """Return the pair's newest analysis, or None when there is none."""
    return AnalysisRecord.objects.filter(pair_id=pair_id).order_by("-id").first()


def estimates_of(record: AnalysisRecord) -> tuple[Estimate, ...]:
    """Return a stored analysis's estimates, in the order in which people read them."""
    return estimates_from_json(record.estimates)


def evidence_of(record: AnalysisRecord) -> tuple[Evidence, ...]:
    """Return the calls that show what a stored analysis holds against the token."""
    return evidence_from_json(record.evidence)


def probes_of(record: AnalysisRecord) -> TokenProbes | None:
    """Return what a stored full assessment observed, None after a first look."""
    return None if record.probes is None else probes_from_json(record.probes)
