"""The audit trail for whoever looks into it: searched, exported, checked."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Final

from django.db import connection
from django.db.models import Max, Q, QuerySet, TextField
from django.db.models.functions import Cast
from django.utils import timezone

from apps.state import append_only
from apps.state.logic.audit_file import FileHead, head_text, line_text
from apps.state.models import AuditHead, Event
from apps.state.services.relay import line_of

_CHUNK: Final = 1_000
#: Words and actors have no index: without a time only so many of the newest lines are looked through.
SEARCHED_MAX: Final = 200_000


@dataclass(frozen=True, slots=True, kw_only=True)
class AuditSearch:
    """What is looked for. "" and None: anything."""

    kinds: tuple[str, ...] = ()
    actor: str = ""
    subject: str = ""  # "order:7", or "order" for all of them
    trace_id: str = ""
    since: datetime | None = None
    until: datetime | None = None
    words: str = ""  # somewhere in summary or payload

    @property
    def is_range(self) -> bool:
        """Tell whether only times are asked for: then the lines between are exported without gaps."""
        return not (self.kinds or self.actor or self.subject or self.trace_id or self.words)

    @property
    def filters(self) -> dict[str, str]:
        """Return what is asked for as texts."""
        given = {
            "kinds": ",".join(self.kinds),
            "actor": self.actor,
            "subject": self.subject,
            "trace_id": self.trace_id,
            "since": "" if self.since is None else self.since.isoformat(),
            "until": "" if self.until is None else self.until.isoformat(),
            "words": self.words,
        }
        return {name: value for name, value in given.items() if value}


def audit_lines(search: AuditSearch) -> QuerySet[Event]:
    """Return the lines that fit, in no order of its own."""
    lines = Event.objects.order_by()
    if search.kinds:
        lines = lines.filter(kind__in=search.kinds)
    if search.trace_id:
        lines = lines.filter(trace_id=search.trace_id)
    if search.subject:
        one = Q(subject=search.subject)
        lines = lines.filter(
            one if ":" in search.subject else one | Q(subject__startswith=f"{search.subject}:")
        )
    if search.since is not None:
        lines = lines.filter(at__gte=search.since)
    if search.until is not None:
        lines = lines.filter(at__lte=search.until)
    if search.actor or search.words:
        lines = lines.filter(pk__gt=_floor(search))
    if search.actor:
        lines = lines.filter(actor__iexact=search.actor)
    if search.words:
        lines = lines.annotate(payload_text=Cast("payload", TextField()))
        lines = lines.filter(Q(summary__icontains=search.words) | Q(payload_text__icontains=search.words))
    return lines


def is_cut(search: AuditSearch) -> bool:
    """Tell whether older lines were not looked through."""
    return bool(search.actor or search.words) and _floor(search) > 0


def _floor(search: AuditSearch) -> int:
    if search.since is not None:
        return 0
    return max(0, (Event.objects.aggregate(newest=Max("pk"))["newest"] or 0) - SEARCHED_MAX)


def audit_export(search: AuditSearch, *, lines_max: int = 0) -> Iterator[str]:
    """Yield an export's lines with their ends. Only numbered lines are exported; the rest follow in a moment.

    Where only times are asked for, every line between the first and the last that fit is in it, so that the chain can be
    checked. ``lines_max``: only so many of the newest; 0: all.
    """
    head = AuditHead.objects.filter(pk=1).first() or AuditHead(pk=1)
    lines = _range(search) if search.is_range else audit_lines(search)
    lines = lines.filter(position__isnull=False, position__lte=head.position)
    if lines_max:
        cut = (
            lines.order_by("-position").values_list("position", flat=True)[lines_max - 1 : lines_max].first()
        )
        lines = lines if cut is None else lines.filter(position__gte=cut)
    yield (
        head_text(
            FileHead(
                exported_at=timezone.now().isoformat(timespec="seconds"),
                is_chained=search.is_range,
                is_to_end=search.is_range and search.until is None,
                position=head.position,
                hash=head.hash,
                filters=search.filters,
            )
        )
        + "\n"
    )
    for event in lines.order_by("position").iterator(chunk_size=_CHUNK):
        assert event.position is not None
        line = line_of(event, position=event.position, previous_hash=event.previous_hash)
        yield line_text(line, stored_hash=event.hash) + "\n"


def _range(search: AuditSearch) -> QuerySet[Event]:
    fitting = audit_lines(replace(search)).filter(position__isnull=False)
    first = fitting.order_by("position").values_list("position", flat=True).first()
    last = fitting.order_by("-position").values_list("position", flat=True).first()
    if first is None or last is None:
        return Event.objects.none()
    return Event.objects.filter(position__range=(first, last))


def guards_missing() -> tuple[str, ...]:
    """Return which of the database's triggers that hold the log append-only are not in force."""
    return tuple(sorted(set(append_only.names(connection)) - append_only.installed(connection)))
