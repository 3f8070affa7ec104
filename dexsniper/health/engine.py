"""Configuration, kill switch, and the processes' signs of life."""

from __future__ import annotations

from collections.abc import Iterator

from django.utils import timezone

from apps.domain.engine import EngineStatus
from apps.engine.housekeeping import LEASE
from apps.state.latch import LatchUnreadableError, latch_read
from apps.state.models import Incident, Lease
from apps.state.services.config import active_config
from apps.state.services.engine import engine_view
from apps.state.services.heartbeats import stale_components
from dexsniper.env import Environment
from dexsniper.health.check import Check, fault, good, warning
from dexsniper.supervisor import running_instance


def configuration(_: Environment) -> Iterator[Check]:
    """Check that there is an active configuration that can be read."""
    yield good("configuration", "active", f"revision {active_config().revision}")


def engine(env: Environment) -> Iterator[Check]:
    """Check kill switch, state, listener and open incidents."""
    try:
        latch_read(env.data_dir)
    except LatchUnreadableError as error:
        yield fault("engine", "kill switch", f"{error}: nothing is signed or sent", remedy=error.remedy)
    view = engine_view()
    detail = f"{view.status.value.replace('_', ' ')}, epoch {view.epoch}" + (
        f": {view.reason}" if view.reason else ""
    )
    if view.status is EngineStatus.EMERGENCY_STOPPED:
        yield warning(
            "engine",
            "state",
            f"{detail}; the kill switch is pulled",
            remedy="Look into the reason, then 'manage.py killswitch resume'.",
        )
    else:
        yield good("engine", "state", detail)
    yield from _incidents()
    if running_instance(env.data_dir) is None:
        yield from _foreign_listener()
        return
    for item in stale_components():
        yield warning(
            "engine",
            item.component,
            f"silent for {item.silent_s} s",
            remedy="'manage.py up' starts it again by itself; look for its lines in the log.",
        )


def _incidents() -> Iterator[Check]:
    count = Incident.objects.filter(resolved_at=None, severity="critical").count()
    if count:
        yield warning(
            "engine",
            "incidents",
            f"{count} critical ones are open",
            remedy="Read them on the page Incidents: each names its remedy.",
        )


def _foreign_listener() -> Iterator[Check]:
    holder = Lease.objects.filter(name=LEASE, expires_at__gt=timezone.now()).values_list("holder", flat=True)
    for name in holder:
        yield warning(
            "engine",
            "listener",
            f"another listener ({name}) works on this database",
            remedy="Two installations on one database share its wallets: stop one, or give each a database of its own.",
        )
