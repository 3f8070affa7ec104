"""The web server's signs of life: it, its sockets, and what it served, where other processes and pages can read it."""

from __future__ import annotations

import logging
import threading
import time
from typing import Final

from django.db import Error, close_old_connections
from django.utils import timezone

from apps.api import metering, streams_counts
from apps.engine.logic.uptime import Stretch, prolonged
from apps.engine.metrics.figures import SOCKETS, SOCKETS_STALE_S, WEB, stretches_of
from apps.state.models import Heartbeat
from apps.state.services.heartbeats import beat

logger = logging.getLogger(__name__)

EVERY_S: Final = 5.0
WEB_STALE_S: Final = 30
#: Sockets whose log cannot be read for so long are down, though their connections stand.
READER_FAILING_MAX_S: Final = 10.0


def beat_once(stretches: tuple[Stretch, ...] | None) -> tuple[Stretch, ...]:
    """Give the signs of life; return the stretches in which the sockets were up. ``stretches`` None: read them first."""
    if stretches is None:
        row = Heartbeat.objects.filter(component=SOCKETS).first()
        details = row.details if row is not None else {}
        stretches = stretches_of(details if isinstance(details, dict) else {})
    beat(component=WEB, stale_after_s=WEB_STALE_S, details=metering.summary())
    if streams_counts.reader_failing_s() > READER_FAILING_MAX_S:
        return stretches
    stretches = prolonged(stretches, now_s=int(timezone.now().timestamp()), gap_max_s=SOCKETS_STALE_S)
    clients = streams_counts.clients()
    beat(
        component=SOCKETS,
        status=f"{clients} clients",
        stale_after_s=SOCKETS_STALE_S,
        details={"clients": clients, "up": [list(item) for item in stretches]},
    )
    return stretches


def start() -> None:
    """Beat from a thread of its own until the process ends: a server that is merely busy is not dead."""
    threading.Thread(target=_forever, name="web-beat", daemon=True).start()


def _forever() -> None:
    stretches: tuple[Stretch, ...] | None = None
    while True:
        close_old_connections()
        try:
            stretches = beat_once(stretches)
        except Error:  # the database is away: being silent is then the truth
            logger.warning("the web server could not give a sign of life", exc_info=True)
        time.sleep(EVERY_S)
