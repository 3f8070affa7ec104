"""Reads verdicts. Writes nothing."""

from __future__ import annotations

from apps.domain.verdict import Finding
from apps.risk.logic.record import findings_from_json
from apps.risk.models import VerdictRecord


def verdict_latest(*, pair_id: int) -> VerdictRecord | None:
    """Return the pair's newest verdict, or None when there is none."""
    return VerdictRecord.objects.filter(pair_id=pair_id).order_by("-id").first()


def findings_of(record: VerdictRecord) -> tuple[Finding, ...]:
    """Return a stored verdict's findings, in the order in which people read them."""
    return findings_from_json(record.findings)
