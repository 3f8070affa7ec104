"""The one append-only log: producers insert, the relay numbers."""

from __future__ import annotations

from typing import Any

from django.utils import timezone

from apps.domain.events import EventKind
from apps.state.logic.redaction import redact_urls, redacted
from apps.state.models import Event
from apps.state.tracing import current_actor, current_trace

SUMMARY_LENGTH_MAX = 300
SUBJECT_LENGTH_MAX = 120
ACTOR_LENGTH_MAX = 150
ENGINE = "engine"  # whatever nobody asked for


def event_record(
    *,
    kind: EventKind,
    summary: str,
    actor: str = "",
    trace_id: str = "",
    subject: str = "",
    payload: dict[str, Any] | None = None,
) -> None:
    """Insert one event in the caller's transaction, so that it stands exactly when what it tells of stands.

    ``payload`` must be plain JSON without floats: text for decimals. Without ``trace_id`` the bound trace is taken,
    without ``actor`` the person whose request this is, else the engine itself. Keys in addresses are blacked out.
    """
    Event.objects.create(
        kind=kind.value,
        at=timezone.now(),
        trace_id=trace_id or current_trace(),
        actor=cut(actor or current_actor() or ENGINE, ACTOR_LENGTH_MAX),
        subject=cut(subject, SUBJECT_LENGTH_MAX),
        summary=cut(summary, SUMMARY_LENGTH_MAX),
        payload={} if payload is None else redacted(payload),
    )


def cut(text: str, length_max: int) -> str:
    """Return ``text`` as it may be stored and shown: without NUL characters, which PostgreSQL refuses, and without the
    keys in its addresses, no longer than its column.
    """
    clean = redact_urls(text.replace("\x00", ""))
    return clean if len(clean) <= length_max else clean[: length_max - 1] + "…"
