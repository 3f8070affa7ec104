"""The protocol canary: can each exchange's creations still be read, as it was last seen."""

from __future__ import annotations

from collections.abc import Iterator

from django.utils import timezone

from apps.chains.models import CanaryRun
from apps.chains.selectors import canaries_newest
from apps.engine.canary import EVERY
from dexsniper.env import Environment
from dexsniper.health.check import Check, fault, good, warning
from dexsniper.supervisor import running_instance

#: A look that did not come so long after its time is missing.
_LATE_AFTER = 2 * EVERY


def canary(env: Environment) -> Iterator[Check]:
    """Check what the newest look at each exchange found, and while the system runs that it is not an old one."""
    runs = canaries_newest()
    if not runs:
        yield good("chains", "exchanges", "none was looked at yet: this is done at start and hourly")
    is_running = running_instance(env.data_dir) is not None
    for run in runs:
        yield _check(run, is_running=is_running)


def _check(run: CanaryRun, *, is_running: bool) -> Check:
    name = str(run.dex)
    if run.alarm:
        return fault(
            "chains",
            name,
            run.alarm,
            remedy="Compare its factory's address with a second source, ask an endpoint of another provider, and switch"
            " the exchange off in the admin until it is read again.",
        )
    if run.fault:
        return warning(
            "chains",
            name,
            f"could not be looked at: {run.fault}",
            remedy="It is tried again within the hour; look at the chain's endpoints above.",
        )
    if is_running and timezone.now() - run.looked_at > _LATE_AFTER:
        return warning(
            "chains",
            name,
            f"last looked at {run.looked_at:%Y-%m-%d %H:%M} UTC",
            remedy="It is looked at hourly by the worker 'evaluate': see that it and the beat run.",
        )
    return good(
        "chains",
        name,
        f"{run.decoded} of {run.creations} creations can be read, {run.pools_answered} of {run.pools_asked} pools answer",
    )
