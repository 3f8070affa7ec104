"""Samples and pairs that were set aside, and what a person decides about them."""

from __future__ import annotations

import logging
from collections.abc import Sequence

from django.db import transaction
from django.utils import timezone

from apps.discovery.logic.sample import printable_sample
from apps.discovery.models import FeedSighting, Pair, QuarantineItem
from apps.domain.events import EventKind
from apps.state.services.events import event_record

logger = logging.getLogger(__name__)

#: With so many open items a person has enough to see; more of them would only fill the disk.
OPEN_ITEMS_MAX = 2_000
REASON_LENGTH_MAX = 300
#: Refusals that follow from the tokens themselves: no release can make such a pair tradable.
PERMANENT_CODES = ("QUOTE_UNKNOWN", "BASE_IS_MONEY", "DECIMALS_UNKNOWN")


def quarantine_add(*, source: str, reason: str, sample: str, pair_key: str = "", trace_id: str = "") -> bool:
    """Keep a sample for a person. Return False when the same is open already, or too many are."""
    row = {
        "source": source[:60],
        "reason": printable_sample(reason, length_max=REASON_LENGTH_MAX),
        "sample": printable_sample(sample),
        "pair_key": pair_key[:130],
    }
    still_open = QuarantineItem.objects.filter(status="open")
    if still_open.filter(**row).exists():
        return False
    if still_open.count() >= OPEN_ITEMS_MAX:
        logger.warning("quarantine is full", extra={"source": row["source"], "reason": row["reason"]})
        return False
    QuarantineItem.objects.create(**row, trace_id=trace_id, at=timezone.now())
    return True


def pair_quarantine(*, pair_id: int, code: str, reason: str, sample: str = "", trace_id: str = "") -> bool:
    """Set a pair aside: nothing new is begun with it. Return False when it was set aside already."""
    with transaction.atomic():
        text = printable_sample(reason, length_max=REASON_LENGTH_MAX)
        if not Pair.objects.filter(pk=pair_id, quarantine_code="").update(
            quarantine_code=code[:40], quarantine_reason=text
        ):
            return False
        pair = Pair.objects.only("pair_key").get(pk=pair_id)
        quarantine_add(
            source=pair.pair_key.partition("/")[0],
            reason=text,
            sample=sample,
            pair_key=pair.pair_key,
            trace_id=trace_id,
        )
        event_record(
            kind=EventKind.PAIR_CHANGED,
            summary=f"Pair set aside: {text}",
            trace_id=trace_id,
            subject=f"pair:{pair_id}",
            payload={"code": code, "change": "quarantined"},
        )
    return True


def quarantine_release(*, item_ids: Sequence[int], by: str) -> int:
    """Let go of open items: their pairs may be traded again and their feeds' claims are checked anew. Return how many."""
    return _resolve(item_ids=item_ids, status="released", by=by)


def quarantine_discard(*, item_ids: Sequence[int], by: str) -> int:
    """Close open items as seen; their pairs stay aside. Return how many."""
    return _resolve(item_ids=item_ids, status="discarded", by=by)


def _resolve(*, item_ids: Sequence[int], status: str, by: str) -> int:
    resolved = 0
    with transaction.atomic():
        for item in QuarantineItem.objects.filter(pk__in=item_ids, status="open"):
            if not QuarantineItem.objects.filter(pk=item.pk, status="open").update(status=status):
                continue
            resolved += 1
            if status == "released" and item.pair_key:
                Pair.objects.filter(pair_key=item.pair_key).exclude(
                    quarantine_code__in=PERMANENT_CODES
                ).update(quarantine_code="", quarantine_reason="")
                FeedSighting.objects.filter(pair_key=item.pair_key, outcome="contradicted").delete()
            event_record(
                kind=EventKind.PAIR_CHANGED,
                summary=f"Quarantine {status}: {item.source}: {item.reason}",
                actor=by,
                trace_id=item.trace_id,
                subject=f"quarantine:{item.pk}",
                payload={"change": f"quarantine_{status}"},
            )
    return resolved
