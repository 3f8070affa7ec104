"""What the frame of every page shows: the engine's word, the chains' heads, the marks in the navigation."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from django.conf import settings
from django.db import Error as DatabaseFault

from apps.dashboard.selectors.alerts import alerts_wanting
from apps.dashboard.selectors.chains import chain_heads
from apps.domain.engine import EngineView
from apps.domain.errors import SniperError
from apps.state.models import Heartbeat, Incident
from apps.state.services.engine import engine_view
from apps.state.services.heartbeats import stale_components
from apps.trading.models import Position

#: Without these nothing is seen, judged, bought or sold.
_NEEDED = {"listener", "worker/evaluate", "worker/execute"}
#: So many silent components are named in the status line; more are counted.
_SILENT_NAMED_MAX = 2


def engine_now() -> EngineView | None:
    """Return the engine with what ails it in plain words; None when its record cannot be read."""
    try:
        view = engine_view()
    except SniperError:
        return None
    silent = [f"{item.component} silent for {item.silent_s} s" for item in stale_components()]
    if len(silent) > _SILENT_NAMED_MAX:
        silent = [*silent[:_SILENT_NAMED_MAX], f"{len(silent) - _SILENT_NAMED_MAX} more components silent"]
    return replace(view, degraded=(*view.degraded, *silent))


def positions_open_count() -> int:
    """Return how many positions are not closed."""
    return Position.objects.exclude(status="closed").count()


def incidents_open_count() -> int:
    """Return how many incidents nobody has resolved."""
    return Incident.objects.filter(resolved_at=None).count()


def frame() -> dict[str, Any]:
    """Return everything the frame of a page shows that does not depend on who looks."""
    alarms, wanting = alerts_wanting()
    return {
        "mode": settings.ENV.mode,
        "engine": engine_now(),
        "chains": chain_heads(),
        "positions_open": positions_open_count(),
        "incidents_open": incidents_open_count(),
        "alerts_open": wanting,
        "alarms": alarms,
    }


def system_is_ready() -> bool:
    """Tell whether database, engine record, listener and workers are at work. A dead broker only slows things down."""
    try:
        engine_view()
        silent = {item.component for item in stale_components()}
        known = set(Heartbeat.objects.values_list("component", flat=True))
    except (SniperError, DatabaseFault):
        return False
    return known - silent >= _NEEDED
