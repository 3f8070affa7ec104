"""Reads analyses. Writes nothing."""

from __future__ import annotations

from apps.domain.estimate import Estimate
from apps.intelligence.logic.record import estimates_from_json
from apps.intelligence.models import AnalysisRecord


def analysis_latest(*, pair_id: int) -> AnalysisRecord | None:
    """Return the pair's newest analysis, or None when there is none."""
    return AnalysisRecord.objects.filter(pair_id=pair_id).order_by("-id").first()


def estimates_of(record: AnalysisRecord) -> tuple[Estimate, ...]:
    """Return a stored analysis's estimates, in the order in which people read them."""
    return estimates_from_json(record.estimates)
