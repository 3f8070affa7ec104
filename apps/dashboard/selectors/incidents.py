"""Incidents: what a person should know, and what to do about it."""

from __future__ import annotations

from typing import Any

from django.core.paginator import Page, Paginator
from django.db.models import Case, Count, IntegerField, Q, Value, When

from apps.dashboard.asks import Ask
from apps.discovery.selectors import quarantine_open_count
from apps.state.models import Heartbeat, Incident
from apps.state.services.heartbeats import stale_components

ROWS_PER_PAGE = 50
_WORST_FIRST = Case(
    When(severity="critical", then=Value(0)),
    When(severity="warning", then=Value(1)),
    default=Value(2),
    output_field=IntegerField(),
)


def incident_rows(ask: Ask) -> dict[str, Any]:
    """Return a page of open or resolved incidents, the worst first."""
    if ask.get("tab") == "resolved":
        incidents = Incident.objects.exclude(resolved_at=None).order_by("-resolved_at", "-id")
    else:
        incidents = Incident.objects.filter(resolved_at=None).order_by(_WORST_FIRST, "-last_at", "-id")
    page: Page[Incident] = Paginator(incidents, ROWS_PER_PAGE).get_page(ask.page)
    return {"page_obj": page, "rows": list(page.object_list)}


def incident_tabs(_: Ask) -> dict[str, Any]:
    """Return how many incidents are open and resolved, and how many samples wait in quarantine."""
    totals = Incident.objects.aggregate(
        open=Count("pk", filter=Q(resolved_at=None)), resolved=Count("pk", filter=~Q(resolved_at=None))
    )
    return {
        "tabs": [("", "Open", totals["open"]), ("resolved", "Resolved", totals["resolved"])],
        "quarantined": quarantine_open_count(),
    }


def components(_: Ask) -> dict[str, Any]:
    """Return every component with its last sign of life; silent ones are marked."""
    silent = {item.component for item in stale_components()}
    rows = [
        (beat, "stale" if beat.component in silent else "ok")
        for beat in Heartbeat.objects.order_by("component")
    ]
    return {"components": rows}


def incident_of(incident_id: int) -> Incident | None:
    """Return one incident, None when there is none."""
    return Incident.objects.filter(pk=incident_id).first()
