"""Signs of life, and leases: the right to be the only one that does something."""

from __future__ import annotations

import os
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from django.db import IntegrityError, transaction
from django.db.models import Q
from django.utils import timezone

from apps.domain.events import EventKind
from apps.state.models import Heartbeat, Lease
from apps.state.services.events import cut, event_record

STATUS_LENGTH_MAX = 200


@dataclass(frozen=True, slots=True, kw_only=True)
class StaleComponent:
    """A component that has not given a sign of life within its time."""

    component: str
    pid: int
    beat_at: datetime
    silent_s: int


def beat(
    *, component: str, status: str = "", details: dict[str, Any] | None = None, stale_after_s: int = 15
) -> None:
    """Record a sign of life; an event is recorded when the component is new, in a new process, or was silent too long."""
    now = timezone.now()
    fields: dict[str, Any] = {
        "pid": os.getpid(),
        "beat_at": now,
        "stale_after_s": stale_after_s,
        "status": cut(status, STATUS_LENGTH_MAX),
        "details": {} if details is None else details,
    }
    with transaction.atomic():
        row = Heartbeat.objects.filter(component=component).only("pid", "beat_at", "stale_after_s").first()
        if row is None:
            Heartbeat.objects.update_or_create(component=component, defaults=fields)
            summary = f"{component} was started"
        else:
            Heartbeat.objects.filter(pk=row.pk).update(**fields)
            if _is_stale(row, now):
                summary = f"{component} is back"
            elif row.pid != fields["pid"]:
                summary = f"{component} was restarted: process {fields['pid']} after {row.pid}"
            else:
                return
        event_record(kind=EventKind.COMPONENT_CHANGED, summary=summary, subject=f"component:{component}")


def stale_components() -> tuple[StaleComponent, ...]:
    """Return the components that are silent for longer than they promised."""
    now = timezone.now()
    return tuple(
        StaleComponent(
            component=row.component,
            pid=row.pid,
            beat_at=row.beat_at,
            silent_s=int((now - row.beat_at).total_seconds()),
        )
        for row in Heartbeat.objects.order_by("component")
        if _is_stale(row, now)
    )


def is_alive(*, component: str) -> bool:
    """Tell whether a component gave a sign of life within the time it promised."""
    row = Heartbeat.objects.filter(component=component).only("beat_at", "stale_after_s").first()
    return row is not None and not _is_stale(row, timezone.now())


def _is_stale(row: Heartbeat, now: datetime) -> bool:
    return now - row.beat_at > timedelta(seconds=row.stale_after_s)


def lease_take(*, name: str, holder: str, ttl_s: int) -> bool:
    """Take or prolong a lease for ``ttl_s``. Return False while somebody else holds it."""
    now = timezone.now()
    expires_at = now + timedelta(seconds=ttl_s)
    # Asked often: a lease with more than half of its time left is not written again, so that no other writer waits for it.
    if Lease.objects.filter(
        name=name, holder=holder, expires_at__gt=now + timedelta(seconds=ttl_s / 2)
    ).exists():
        return True
    free = Q(holder=holder) | Q(expires_at__lte=now)
    if Lease.objects.filter(free, name=name).update(holder=holder, expires_at=expires_at):
        return True
    if Lease.objects.filter(name=name).exists():
        return False
    try:
        with transaction.atomic():
            Lease.objects.create(name=name, holder=holder, expires_at=expires_at)
    except IntegrityError:  # somebody else was quicker
        return False
    return True


def lease_release(*, name: str, holder: str) -> bool:
    """Give a lease back. Return False when ``holder`` did not hold it."""
    return Lease.objects.filter(name=name, holder=holder).delete()[0] > 0
