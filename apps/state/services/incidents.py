"""What a person should know: opened once, counted when it repeats, resolved by a person or by recovery."""

from __future__ import annotations

from datetime import timedelta
from typing import Any, Literal

from django.db import IntegrityError, transaction
from django.db.models import F, Q
from django.utils import timezone

from apps.domain.errors import Category, Recovery, SniperError
from apps.domain.events import EventKind
from apps.state.models import Incident
from apps.state.services.events import cut, event_record
from apps.state.tracing import current_trace

Severity = Literal["info", "warning", "critical"]
TEXT_LENGTH_MAX = 4_000  # detail and remedy
TITLE_LENGTH_MAX = 200
KEY_LENGTH_MAX = 200
CODE_LENGTH_MAX = 60
#: A fault of the outside that has not come again for so long is over: what meets it tries again every few seconds.
CALM_S = 180
_HEALED_AT_ONCE_MAX = 200
#: Faults that mend themselves: the same call is made again, here or elsewhere; or the chain was asked what came of it,
#: unless that is so grave that a person should look.
_MENDING = Q(recovery__in=(Recovery.RETRY.value, Recovery.FAILOVER.value)) | (
    Q(recovery=Recovery.RECONCILE.value) & ~Q(severity="critical")
)


def incident_open(
    *,
    code: str,
    category: Category,
    recovery: Recovery,
    severity: Severity,
    title: str,
    detail: str = "",
    remedy: str = "",
    dedup_key: str = "",
    trace_id: str = "",
    context: dict[str, Any] | None = None,
) -> None:
    """Open an incident, or count one more repeat of the open one with this ``dedup_key`` (by default the code)."""
    key = cut(dedup_key or code, KEY_LENGTH_MAX)
    if _count_repeat(key, detail=detail, severity=severity):
        return
    now = timezone.now()
    trace_id = trace_id or current_trace()
    try:
        with transaction.atomic():
            incident = Incident.objects.create(
                dedup_key=key,
                code=cut(code, CODE_LENGTH_MAX),
                category=category.value,
                recovery=recovery.value,
                severity=severity,
                title=cut(title, TITLE_LENGTH_MAX),
                detail=cut(detail, TEXT_LENGTH_MAX),
                remedy=cut(remedy, TEXT_LENGTH_MAX),
                context={} if context is None else context,
                trace_id=trace_id,
                first_at=now,
                last_at=now,
            )
            event_record(
                kind=EventKind.INCIDENT_OPENED,
                summary=title,
                trace_id=trace_id,
                subject=f"incident:{incident.pk}",
                payload={"code": incident.code, "severity": severity, "remedy": incident.remedy},
            )
    except IntegrityError:  # another process opened it in between
        _count_repeat(key, detail=detail, severity=severity)


def _count_repeat(key: str, *, detail: str, severity: Severity) -> bool:
    changes: dict[str, Any] = {"count": F("count") + 1, "last_at": timezone.now()}
    if detail:
        changes["detail"] = cut(detail, TEXT_LENGTH_MAX)
    if severity == "critical":  # a repeat may worsen an incident, never soften it
        changes["severity"] = severity
    return Incident.objects.filter(dedup_key=key, resolved_at=None).update(**changes) > 0


def incident_resolve(*, dedup_key: str, by: str = "engine", reason: str = "") -> bool:
    """Close the open incident with this key. Return False when there was none: then it has cost one read.

    ``reason`` says what was found and mended; it stands in the log.
    """
    row = Incident.objects.filter(dedup_key=cut(dedup_key, KEY_LENGTH_MAX), resolved_at=None).first()
    if row is None:
        return False
    with transaction.atomic():
        closed = Incident.objects.filter(pk=row.pk, resolved_at=None).update(
            resolved_at=timezone.now(), resolved_by=cut(by, 150)
        )
        if not closed:
            return False
        event_record(
            kind=EventKind.INCIDENT_CLOSED,
            summary=f"Resolved: {row.title}" + (f" ({reason})" if reason else ""),
            actor=by,
            trace_id=row.trace_id,
            subject=f"incident:{row.pk}",
            payload={"code": row.code, "count": row.count, "reason": reason},
        )
    return True


def incident_from_error(
    error: SniperError, *, dedup_key: str = "", trace_id: str = "", severity: Severity = "warning"
) -> None:
    """Open an incident that says what ``error`` says, remedy included."""
    incident_open(
        code=error.code,
        category=error.category,
        recovery=error.recovery,
        severity=severity,
        title=str(error) or error.code,
        remedy=error.remedy,
        dedup_key=dedup_key,
        trace_id=trace_id,
        context=dict(error.context),
    )


def incidents_heal(*, calm_s: int = CALM_S) -> int:
    """Close the network's incidents that have not repeated for ``calm_s``; return how many.

    Whatever a person must see to (money, data, our own faults) stays open.
    """
    before = timezone.now() - timedelta(seconds=calm_s)
    rows = Incident.objects.filter(
        _MENDING, resolved_at=None, category=Category.NETWORK.value, last_at__lt=before
    )
    keys = list(rows.order_by("last_at").values_list("dedup_key", flat=True)[:_HEALED_AT_ONCE_MAX])
    reason = f"it has not happened again for {calm_s} s"
    return sum(incident_resolve(dedup_key=key, reason=reason) for key in keys)
