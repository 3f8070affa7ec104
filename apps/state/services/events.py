"""The one append-only log: producers insert, the relay numbers."""

from __future__ import annotations

from typing import Any

from django.utils import timezone

from apps.domain.events import EventKind
from apps.state.models import Event
from apps.state.tracing import current_trace

SUMMARY_LENGTH_MAX = 300
SUBJECT_LENGTH_MAX = 120
ACTOR_LENGTH_MAX = 150


def event_record(
    *,
    kind: EventKind,
    summary: str,
    actor: str = "engine",
    trace_id: str = "",
    subject: str = "",
    payload: dict[str, Any] | None = None,
) -> None:
    """Insert one event in the caller's transaction, so that it stands exactly when what it tells of stands.

    ``payload`` must be plain JSON without floats: text for decimals. Without ``trace_id`` the bound trace is taken.
    """
    Event.objects.create(
        kind=kind.value,
        at=timezone.now(),
        trace_id=trace_id or current_trace(),
        actor=cut(actor, ACTOR_LENGTH_MAX),
        subject=cut(subject, SUBJECT_LENGTH_MAX),
        summary=cut(summary, SUMMARY_LENGTH_MAX),
        payload={} if payload is None else payload,
    )


def cut(text: str, length_max: int) -> str:
    """Return ``text`` without NUL characters, which PostgreSQL refuses, and no longer than its column."""
    clean = text.replace("\x00", "")
    return clean if len(clean) <= length_max else clean[: length_max - 1] + "…"
