"""Alerts as rows: raised, counted, acknowledged by a person, over by themselves."""

from __future__ import annotations

from datetime import datetime, timedelta

from django.db import IntegrityError, transaction
from django.db.models import F
from django.utils import timezone

from apps.alerts.logic.rules import Judgement, Signal
from apps.alerts.models import AlertRecord
from apps.domain.events import EventKind
from apps.state.services.events import cut, event_record

#: A happening that was not repeated for so long is over.
QUIET = timedelta(hours=1)
#: A condition that stands is not written again within this: it would say the same.
_REWRITE = timedelta(seconds=30)
_RESOLVED_AT_ONCE_MAX = 200
_PRUNED_AT_ONCE_MAX = 2_000
KEPT = timedelta(days=90)
_WORST = ("info", "warning", "critical")


def alerts_apply(judgement: Judgement) -> int:
    """Raise or count what the judgement holds, end what is over, and return how many have ended."""
    now = timezone.now()
    for signal in judgement.signals:
        _raise(signal, now)
    return _end(judgement, now)


def _raise(signal: Signal, now: datetime) -> None:
    row = AlertRecord.objects.filter(dedup_key=signal.key, resolved_at=None).first()
    if row is None:
        try:
            with transaction.atomic():
                _insert(signal, now)
            return
        except IntegrityError:  # another process raised it in between
            row = AlertRecord.objects.filter(dedup_key=signal.key, resolved_at=None).first()
            if row is None:
                return
    severity = max(row.severity, signal.severity, key=_WORST.index)
    if signal.is_lasting:
        if now - row.last_at < _REWRITE and severity == row.severity:
            return
        AlertRecord.objects.filter(pk=row.pk, resolved_at=None).update(last_at=now, severity=severity)
        return
    AlertRecord.objects.filter(pk=row.pk, resolved_at=None).update(
        count=F("count") + 1, last_at=now, severity=severity, title=cut(signal.title, 200)
    )


def _insert(signal: Signal, now: datetime) -> None:
    row = AlertRecord.objects.create(
        rule=signal.rule,
        dedup_key=cut(signal.key, 200),
        severity=signal.severity,
        title=cut(signal.title, 200),
        text=cut(signal.text, 4_000),
        remedy=cut(signal.remedy, 4_000),
        subject=cut(signal.subject, 120),
        trace_id=signal.trace_id,
        is_lasting=signal.is_lasting,
        first_at=now,
        last_at=now,
    )
    _event(row, f"Alert: {row.title}", state="raised")


def _end(judgement: Judgement, now: datetime) -> int:
    """End the judged conditions that stand no more, and happenings that have grown old."""
    standing = {signal.key for signal in judgement.signals}
    lasting = AlertRecord.objects.filter(resolved_at=None, is_lasting=True, rule__in=judgement.judged)
    over = [row for row in lasting[:_RESOLVED_AT_ONCE_MAX] if row.dedup_key not in standing]
    old = AlertRecord.objects.filter(resolved_at=None, is_lasting=False, last_at__lt=now - QUIET)
    return sum(_resolve(row, now=now) for row in (*over, *old[:_RESOLVED_AT_ONCE_MAX]))


def _resolve(row: AlertRecord, *, now: datetime) -> bool:
    with transaction.atomic():
        changed = AlertRecord.objects.filter(pk=row.pk, resolved_at=None).update(
            resolved_at=now, resolved_by="engine"
        )
        if changed:
            _event(row, f"Alert over: {row.title}", state="resolved")
    return bool(changed)


def alert_acknowledge(*, alert_id: int, by: str) -> bool:
    """Note that a person has seen it and looks after it. False when it is over or was acknowledged already."""
    with transaction.atomic():
        changed = AlertRecord.objects.filter(pk=alert_id, resolved_at=None, acknowledged_at=None).update(
            acknowledged_at=timezone.now(), acknowledged_by=cut(by, 150)
        )
        if changed:
            row = AlertRecord.objects.get(pk=alert_id)
            _event(row, f"Alert acknowledged: {row.title}", state="acknowledged", by=by)
    return bool(changed)


def alerts_prune(*, now: datetime | None = None) -> int:
    """Delete what was over long ago; return how many rows went."""
    before = (now or timezone.now()) - KEPT
    rows = AlertRecord.objects.filter(resolved_at__lt=before).values_list("pk", flat=True)
    return AlertRecord.objects.filter(pk__in=list(rows[:_PRUNED_AT_ONCE_MAX])).delete()[0]


def _event(row: AlertRecord, summary: str, *, state: str, by: str = "engine") -> None:
    event_record(
        kind=EventKind.ALERT_CHANGED,
        summary=summary,
        actor=by,
        trace_id=row.trace_id,
        subject=f"alert:{row.pk}",
        payload={"rule": row.rule, "severity": row.severity, "state": state},
    )
