"""How analysing itself goes, from what was stored of it."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta

from apps.intelligence.logic.processing import (
    Analysed,
    CacheShare,
    PartLatency,
    UnknownShare,
    cache_shares,
    part_latencies,
    unknown_shares,
)
from apps.intelligence.models import AnalysisRecord

#: The window that statistics speak of, and how many of its newest analyses are looked into.
WINDOW = timedelta(minutes=15)
ROWS_MAX = 200


@dataclass(frozen=True, slots=True, kw_only=True)
class ProcessingStatistics:
    """How analysing went in the window; parts, unknowns and caches over its newest ``looked_into`` analyses."""

    since: datetime
    analyses: int
    per_minute: float
    looked_into: int
    latencies: tuple[PartLatency, ...]
    unknowns: tuple[UnknownShare, ...]
    caches: tuple[CacheShare, ...]


def processing_statistics(*, now: datetime, window: timedelta = WINDOW) -> ProcessingStatistics:
    """Return how analysing went in the window up to ``now``."""
    within = AnalysisRecord.objects.filter(created_at__gt=now - window, created_at__lte=now)
    count = within.count()
    rows = [
        Analysed(estimates=estimates, durations_us=durations, facts_us=facts_ms * 1_000, caches=caches)
        for estimates, durations, facts_ms, caches in within.order_by("-created_at").values_list(
            "estimates", "durations_us", "facts_duration_ms", "caches"
        )[:ROWS_MAX]
    ]
    return ProcessingStatistics(
        since=now - window,
        analyses=count,
        per_minute=count / (window / timedelta(minutes=1)),
        looked_into=len(rows),
        latencies=part_latencies(rows),
        unknowns=unknown_shares(rows),
        caches=cache_shares(rows),
    )
