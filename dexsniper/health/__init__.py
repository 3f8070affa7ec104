"""Everything ``manage.py doctor`` looks at: each check says how it stands and, when it does not, how to mend it."""

from __future__ import annotations

from collections.abc import Callable, Iterator

from django.conf import settings
from django.db import Error as DatabaseFault

from apps.domain.errors import SniperError
from dexsniper.env import Environment
from dexsniper.health import alerts, canary, chains, engine, machine, rollups, social, stores, wallets
from dexsniper.health.check import Check, fault, warning

__all__ = ["Check", "all_checks"]

_Area = Callable[[Environment], Iterator[Check]]
#: In the order in which a person would mend them; what stands below the database reads it.
_AREAS: tuple[tuple[str, _Area], ...] = (
    ("environment", machine.environment),
    ("programs", machine.programs),
    ("database", stores.database),
    ("broker", stores.broker),
    ("configuration", engine.configuration),
    ("engine", engine.engine),
    ("chains", chains.chains),
    ("chains", rollups.data_fees),
    ("chains", canary.canary),
    ("social", social.social),
    ("wallets", wallets.wallets),
    ("alerts", alerts.alerts),
)


def all_checks() -> Iterator[Check]:
    """Yield every check; one that fails by surprise is a fault, and the others go on."""
    env: Environment = settings.ENV
    database_is_sound = True
    unlooked: list[str] = []
    for area, function in _AREAS:
        try:
            for check in function(env):
                if (area, check.level) == ("database", "fault"):
                    database_is_sound = False
                yield check
        except SniperError as error:
            yield fault(area, "check", str(error), remedy=error.remedy or "Look for it in the log.")
        except DatabaseFault as error:
            if database_is_sound:
                yield fault(
                    area,
                    "check",
                    f"the database refused: {type(error).__name__}",
                    remedy="Look at the database: its disk may be full, or another program holds it locked.",
                )
            else:
                unlooked.append(area)
    if unlooked:
        yield warning(
            "database",
            "not looked at",
            ", ".join(dict.fromkeys(unlooked)),
            remedy="Mend the database first, then run this again.",
        )
