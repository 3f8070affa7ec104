"""A pair's road as steps with their times."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class Mark:
    """Something that happened, or not (``at`` None)."""

    label: str
    at: datetime | None
    tone: str = "info"
    detail: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class TimelineStep:
    """A step as the timeline shows it. ``took_ms`` is since the step before, ``offset_ms`` since the first."""

    label: str
    at: datetime | None
    offset_ms: int | None
    took_ms: int | None
    total_ms: int
    state: str
    tone: str
    detail: str


def timeline(marks: Sequence[Mark]) -> tuple[TimelineStep, ...]:
    """Return the marks in their order with the time each took; a step that ran ahead of its clock took 0 ms."""
    reached = [mark.at for mark in marks if mark.at is not None]
    if not reached:
        return ()
    first, total = reached[0], max(_ms(reached[0], at) for at in reached)
    steps, before = [], first
    for mark in marks:
        offset = took = None
        if mark.at is not None:
            offset, took = max(0, _ms(first, mark.at)), max(0, _ms(before, mark.at))
            before = max(before, mark.at)
        steps.append(
            TimelineStep(
                label=mark.label,
                at=mark.at,
                offset_ms=offset,
                took_ms=took,
                total_ms=total,
                state="",
                tone=mark.tone if mark.at is not None else "idle",
                detail=mark.detail,
            )
        )
    return tuple(steps)


def _ms(start: datetime, end: datetime) -> int:
    return int((end - start).total_seconds() * 1000)
