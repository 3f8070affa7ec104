"""The last two hours by windows of five minutes: what is counted and timed, with the newest window judged."""

from __future__ import annotations

from collections import Counter, defaultdict
from dataclasses import dataclass
from datetime import datetime, timedelta
from statistics import median
from typing import Any

from django.db.models import Count, QuerySet
from django.db.models.functions import TruncMinute

from apps.domain.events import EventKind
from apps.domain.order import OrderStatus
from apps.engine.logic.anomalies import Kind, Mark, judge
from apps.intelligence.models import AnalysisRecord
from apps.state.models import Event
from apps.trading.models import DecisionRecord, FillRecord, Opportunity, Order

WINDOW = timedelta(minutes=5)
WINDOWS = 24
#: Decisions whose times are looked at, the newest ones.
_TIMED_MAX = 2_000
_MILLISECOND = timedelta(milliseconds=1)
_FAILED = (OrderStatus.REVERTED.value, OrderStatus.DROPPED.value, OrderStatus.EXPIRED.value)


@dataclass(frozen=True, slots=True, kw_only=True)
class Series:
    """One figure by windows, oldest first; None where a time is not known. The last window is over."""

    name: str
    kind: Kind
    values: tuple[int | None, ...]
    mark: Mark | None  # of the newest window; None: too little is known

    @property
    def newest(self) -> int | None:
        """Return the newest window's figure."""
        return self.values[-1] if self.values else None


def window_series(*, now: datetime) -> tuple[Series, ...]:
    """Return every series; six queries, grouped by minute or bounded in number."""
    end = now - (now - datetime.min.replace(tzinfo=now.tzinfo)) % WINDOW
    begin = end - WINDOWS * WINDOW
    first = _first_moment(begin, end)
    counted: dict[str, tuple[QuerySet[Any], str]] = {
        "found": (Opportunity.objects.all(), "created_at"),
        "analysed": (AnalysisRecord.objects.all(), "created_at"),
        "booked": (FillRecord.objects.filter(reversed_at=None), "booked_at"),
        "failed": (Order.objects.filter(status__in=_FAILED), "status_at"),
        "incidents": (Event.objects.filter(kind=EventKind.INCIDENT_OPENED.value), "at"),
    }
    found = [
        _series(name, "count", _counts(rows, field, begin, end), skip=first)
        for name, (rows, field) in counted.items()
    ]
    return (*found, _series("reaction_ms", "time", _reactions(begin, end), skip=first))


def _first_moment(begin: datetime, end: datetime) -> int:
    """Return the first window in which the system was at work: before it nothing is no figure."""
    at = Event.objects.filter(at__gte=begin, at__lt=end).order_by("at").values_list("at", flat=True).first()
    return WINDOWS if at is None else (at - begin) // WINDOW


def _series(name: str, kind: Kind, values: list[int | None], *, skip: int) -> Series:
    known = values[min(skip, len(values)) :]
    mark = judge(known[:-1], known[-1], kind=kind) if known else None
    return Series(name=name, kind=kind, values=tuple(known), mark=mark)


def _counts(rows: QuerySet[Any], field: str, begin: datetime, end: datetime) -> list[int | None]:
    within = rows.filter(**{f"{field}__gte": begin, f"{field}__lt": end}).order_by()
    by_minute = within.annotate(minute=TruncMinute(field)).values_list("minute").annotate(Count("pk"))
    counts: Counter[int] = Counter()
    for minute, count in by_minute:
        counts[(minute - begin) // WINDOW] += count
    return [counts[number] for number in range(WINDOWS)]


def _reactions(begin: datetime, end: datetime) -> list[int | None]:
    """Return the median time from the first sight of a pair to its first decision."""
    rows = DecisionRecord.objects.filter(number=1, created_at__gte=begin, created_at__lt=end)
    newest = rows.order_by("-id").values_list("opportunity__created_at", "created_at")[:_TIMED_MAX]
    times: defaultdict[int, list[int]] = defaultdict(list)
    for seen, decided in newest:
        times[(decided - begin) // WINDOW].append(max((decided - seen) // _MILLISECOND, 0))
    return [int(median(times[number])) if number in times else None for number in range(WINDOWS)]
