"""What the sockets read from the database: the log in pages, and who may still listen."""

from __future__ import annotations

import logging
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

from django.conf import settings
from django.contrib.auth import get_user_model
from django.utils import timezone

from apps.api.messages import LOGGED
from apps.api.messages_logged import Line, line_json
from apps.api.models import ApiToken
from apps.api.services.tokens import in_force
from apps.api.streams_window import Entry, Page
from apps.state.models import AuditHead, Event
from apps.state.permissions import may
from apps.state.services.sessions import session_user

logger = logging.getLogger(__name__)

#: Whoever listens may read the log.
LISTEN = "state.view_event"
_KINDS = [kind.value for kind in LOGGED]


@dataclass(frozen=True, slots=True)
class Listener:
    """Who listens, and by what: a session, or an API token."""

    user_id: int
    session_key: str = ""
    token_id: int = 0


def head_position() -> int:
    """Return the log's last numbered position, 0 when there is none."""
    return AuditHead.objects.filter(pk=1).values_list("position", flat=True).first() or 0


def oldest_position() -> int:
    """Return the position after which everything is kept."""
    first = (
        Event.objects.exclude(position=None).order_by("position").values_list("position", flat=True).first()
    )
    return 0 if first is None else first - 1


def log_page(*, after: int, until: int, limit: int) -> Page:
    """Return the messages of the log in (after, until], at most ``limit``."""
    lines = Event.objects.filter(position__gt=after, position__lte=until, kind__in=_KINDS)
    rows = list(lines.order_by("position")[:limit])
    reached = rows[-1].position if len(rows) == limit else until
    assert reached is not None
    return Page(tuple(entry for row in rows if (entry := _entry(row)) is not None), reached)


def newest_position_before(*, messages: int, until: int) -> int:
    """Return the position after which at most so many messages lie up to ``until``."""
    rows = Event.objects.filter(position__lte=until, kind__in=_KINDS).order_by("-position")
    found = rows.values_list("position", flat=True)[messages : messages + 1]
    return next((position for position in found if position is not None), oldest_position())


def _entry(row: Event) -> Entry | None:
    assert row.position is not None
    line = Line(
        position=row.position,
        kind=row.kind,
        at=row.at,
        trace_id=row.trace_id,
        actor=row.actor,
        subject=row.subject,
        summary=row.summary,
        payload=row.payload,
    )
    try:
        return Entry(row.position, row.kind, line_json(line, mode=settings.ENV.mode))
    except ValueError:  # a bug of ours; one line must not end everybody's stream
        logger.exception("a line of the log could not be told", extra={"position": row.position})
        return None


def may_listen(user: Any) -> bool:
    """Tell whether a user may hear the log."""
    return bool(user.is_authenticated) and may(user, LISTEN)


def shut_out(listeners: Iterable[Listener]) -> frozenset[Listener]:
    """Return those who have signed out, whose session or token ended, or who may not listen any more.

    One query for all users and one for all tokens, and two for each session.
    """
    listeners = frozenset(listeners)
    users = get_user_model().objects.filter(pk__in={item.user_id for item in listeners}, is_active=True)
    allowed = {user.pk for user in users if may_listen(user)}
    signed_in = {key: session_user(key).pk for key in {item.session_key for item in listeners} - {""}}
    asked = {item.token_id for item in listeners} - {0}
    tokens = ApiToken.objects.filter(pk__in=asked)
    ended = asked - set(in_force(tokens, timezone.now()).values_list("pk", flat=True))
    return frozenset(
        item
        for item in listeners
        if item.user_id not in allowed
        or (item.session_key and signed_in[item.session_key] != item.user_id)
        or item.token_id in ended
    )
