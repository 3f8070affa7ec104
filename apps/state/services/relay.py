"""The single relay: gives each event its position and hash, then tells the live pages."""

from __future__ import annotations

import asyncio
import logging
import os
import socket
import uuid
from dataclasses import dataclass
from typing import Any

from asgiref.sync import async_to_sync
from channels.layers import get_channel_layer
from django.db import connection, transaction
from redis.exceptions import RedisError

from apps.state.logic.chain_of_events import NO_HASH, EventLine, fault_of, hash_of
from apps.state.models import AuditHead, Event
from apps.state.services.heartbeats import lease_take

logger = logging.getLogger(__name__)

GROUP = "live"
LEASE = "relay"
LEASE_TTL_S = 10
LIMIT_DEFAULT = 500
PUBLISH_MAX_S = 2.0
FAULTS_MAX = 20
_CHUNK = 1_000
_HOLDER = f"{socket.gethostname()}:{os.getpid()}:{uuid.uuid4().hex[:8]}"


@dataclass(frozen=True, slots=True, kw_only=True)
class AuditFault:
    """A place where the log is not as it was written."""

    position: int
    event_id: int | None  # None when the line itself is gone
    problem: str


@dataclass(frozen=True, slots=True, kw_only=True)
class AuditReport:
    """What a check of the whole log found. ``faults`` is bounded; the first one is where to look."""

    checked: int
    waiting: int  # events that have no position yet
    faults: tuple[AuditFault, ...]
    position: int = 0  # of the last line
    hash: str = ""
    has_noted: bool = True  # the line whose hash was noted elsewhere is there

    @property
    def is_whole(self) -> bool:
        """Tell whether nothing was changed, removed or exchanged."""
        return not self.faults


def relay_once(*, limit: int = LIMIT_DEFAULT, holder: str = _HOLDER) -> int:
    """Number and publish the oldest waiting events. Return how many; 0 too when another relay is at work."""
    if not Event.objects.filter(position=None).exists():
        return 0
    if not lease_take(name=LEASE, holder=holder, ttl_s=LEASE_TTL_S):
        return 0
    messages = _number(limit)
    if messages:
        # The log stands whether or not anybody listens.
        transaction.on_commit(lambda: _publish(messages))
    return len(messages)


def _number(limit: int) -> list[dict[str, Any]]:
    with transaction.atomic():
        head, _ = AuditHead.objects.get_or_create(pk=1)
        position, previous = head.position, head.hash
        rows: list[tuple[int, str, str, int]] = []
        messages: list[dict[str, Any]] = []
        for event in Event.objects.filter(position=None).order_by("id")[:limit]:
            position += 1
            line = line_of(event, position=position, previous_hash=previous)
            rows.append((position, previous, hash_of(line), event.pk))
            messages.append(
                {
                    "type": "live.event",
                    "kind": event.kind,
                    "subject": event.subject,
                    "trace_id": event.trace_id,
                    "position": position,
                    "summary": event.summary,
                }
            )
            previous = rows[-1][2]
        if not rows:
            return []
        moved = AuditHead.objects.filter(pk=1, position=head.position).update(
            position=position, hash=previous
        )
        if not moved:  # a relay whose lease had run out was still at work
            return []
        with connection.cursor() as cursor:
            # One prepared statement for all: an ORM bulk update of 500 rows takes ten times as long.
            cursor.executemany(
                "UPDATE state_event SET position = %s, previous_hash = %s, hash = %s WHERE id = %s", rows
            )
    return messages


def _publish(messages: list[dict[str, Any]]) -> None:
    try:
        async_to_sync(_send)(messages)
    except (RedisError, OSError, TimeoutError) as error:
        logger.warning("live pages were not told of new events", extra={"error": type(error).__name__})


async def _send(messages: list[dict[str, Any]]) -> None:
    layer = get_channel_layer()
    if layer is None:
        return
    async with asyncio.timeout(PUBLISH_MAX_S):
        for message in messages:
            await layer.group_send(GROUP, message)


def audit_verify(*, noted: str = "") -> AuditReport:
    """Read the whole log and return every place where it was tampered with, up to a limit.

    ``noted`` is the hash of a line that was kept elsewhere: who wrote the whole log anew cannot have that line.
    The log may grow meanwhile: where it ended before must still be the same line, and its end now must be the head's.
    """
    faults: list[AuditFault] = []
    checked, position, previous = 0, 0, NO_HASH
    has_noted = not noted
    before, hash_there = _head(), NO_HASH
    events = Event.objects.exclude(position=None).order_by("position")
    for event in events.iterator(chunk_size=_CHUNK):
        assert event.position is not None
        checked += 1
        line = line_of(event, position=event.position, previous_hash=event.previous_hash)
        problem = fault_of(
            line, stored_hash=event.hash, expected_position=position + 1, expected_previous=previous
        )
        if problem and len(faults) < FAULTS_MAX:
            faults.append(AuditFault(position=event.position, event_id=event.pk, problem=problem))
        position, previous = event.position, event.hash
        has_noted = has_noted or previous == noted
        if position == before.position:
            hash_there = previous
    after = _head()
    is_whole_end = hash_there == before.hash and (
        position < after.position or (position, previous) == (after.position, after.hash)
    )
    if not is_whole_end and len(faults) < FAULTS_MAX:
        problem = f"the log ends at {position} and should end at {before.position} with another line"
        faults.append(AuditFault(position=position, event_id=None, problem=problem))
    waiting = Event.objects.filter(position=None).count()
    return AuditReport(
        checked=checked,
        waiting=waiting,
        faults=tuple(faults),
        position=position,
        hash=previous,
        has_noted=has_noted,
    )


def _head() -> AuditHead:
    return AuditHead.objects.filter(pk=1).first() or AuditHead(pk=1, position=0, hash=NO_HASH)


def line_of(event: Event, *, position: int, previous_hash: str) -> EventLine:
    """Return an event as it is hashed at its place."""
    return EventLine(
        position=position,
        kind=event.kind,
        at=event.at,
        trace_id=event.trace_id,
        actor=event.actor,
        subject=event.subject,
        summary=event.summary,
        payload=event.payload,
        previous_hash=previous_hash,
    )
