"""Incidents by category and code: how often, what was done about it, what a person can do, and whether it gets worse."""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, Final

from django.db.models import Count, Max, Q, Sum
from django.utils import timezone

from apps.dashboard.asks import Ask
from apps.dashboard.logic.trends import Trend, hourly, trend_of
from apps.state.models import Incident

WINDOW: Final = timedelta(days=7)
TREND_HOURS: Final = 24
GROUPS_MAX: Final = 50
TRACES_SHOWN: Final = 3
_TREND_ROWS_MAX: Final = 5_000


@dataclass(frozen=True, slots=True, kw_only=True)
class IncidentGroup:
    """All incidents of one code within the window, and all that are open."""

    newest: Incident
    open: int
    incidents: int
    happened: int  # repeats counted
    healed: int  # ended by themselves
    resolved: int  # by a person
    last_at: datetime
    hours: tuple[int, ...]  # incidents opened in each of the last TREND_HOURS, oldest first
    trend: Trend
    traces: tuple[str, ...]


def incident_groups(_: Ask) -> dict[str, Any]:
    """Return the groups, the open ones first, then the most frequent."""
    now = timezone.now()
    rows = (
        Incident.objects.filter(Q(last_at__gte=now - WINDOW) | Q(resolved_at=None))
        .order_by()
        .values("category", "code")
        .annotate(
            open=Count("pk", filter=Q(resolved_at=None)),
            incidents=Count("pk"),
            happened=Sum("count"),
            healed=Count("pk", filter=Q(resolved_by="engine")),
            resolved=Count("pk", filter=~Q(resolved_at=None) & ~Q(resolved_by="engine")),
            last=Max("last_at"),
            newest=Max("pk"),
        )
        .order_by("-open", "-happened", "code")[:GROUPS_MAX]
    )
    found = list(rows)
    newest = Incident.objects.in_bulk([row["newest"] for row in found])
    ages, traces = _lately(now)
    groups = []
    for row in found:
        hours = hourly(ages[row["code"]], hours=TREND_HOURS)
        groups.append(
            IncidentGroup(
                newest=newest[row["newest"]],
                open=row["open"],
                incidents=row["incidents"],
                happened=row["happened"],
                healed=row["healed"],
                resolved=row["resolved"],
                last_at=row["last"],
                hours=hours,
                trend=trend_of(hours),
                traces=tuple(traces[row["code"]])[:TRACES_SHOWN],
            )
        )
    return {"groups": groups, "window_days": WINDOW.days, "trend_hours": TREND_HOURS}


def _lately(now: datetime) -> tuple[dict[str, list[int]], dict[str, dict[str, None]]]:
    """Return by code how old the incidents of the trend's hours are, and their newest traces."""
    ages: dict[str, list[int]] = defaultdict(list)
    traces: dict[str, dict[str, None]] = defaultdict(dict)
    since = now - timedelta(hours=TREND_HOURS)
    rows = (
        Incident.objects.filter(first_at__gte=since)
        .order_by("-pk")
        .values_list("code", "first_at", "trace_id")
    )
    for code, first_at, trace_id in rows[:_TREND_ROWS_MAX]:
        ages[code].append(int((now - first_at).total_seconds()))
        if trace_id:
            traces[code][trace_id] = None
    return ages, traces
