"""Who is told: each configured way, asked whether it answers, without telling anybody anything."""

from __future__ import annotations

from collections.abc import Iterator

from apps.alerts import wiring
from apps.alerts.models import TRANSPORTS, BotBinding, Delivery
from apps.alerts.transports.port import DeliveryFailedError, DeliveryRefusedError
from dexsniper.env import Environment
from dexsniper.health.check import Check, good, warning

_REMEDY = "docs/alerts.md shows how each way is set up; 'manage.py alerts test WAY' tries one."


def alerts(env: Environment) -> Iterator[Check]:
    """Check that somebody is told, that each way answers, and that nothing was left undelivered."""
    configured = wiring.configured()
    if not configured:
        if env.is_sandbox:
            yield good("alerts", "ways", "none is configured: alerts stand on their page alone")
        else:
            yield warning("alerts", "ways", "none is configured: nobody is told", remedy=_REMEDY)
    for name in TRANSPORTS:
        if name in configured:
            yield _way(name)
    if "telegram" in configured and not BotBinding.objects.exclude(chat_id=None).exists():
        yield warning(
            "alerts",
            "bot",
            "the Telegram bot obeys nobody yet",
            remedy="Pair it on the Alerts page: '/kill' by chat works from then on.",
        )
    failed = Delivery.objects.filter(status="failed").count()
    if failed:
        yield warning(
            "alerts",
            "deliveries",
            f"{failed} messages did not get through",
            remedy="Mend their way, then send them again on the Alerts page.",
        )


def _way(name: str) -> Check:
    try:
        return good("alerts", name, wiring.transport(name).check())
    except (DeliveryFailedError, DeliveryRefusedError) as error:
        return warning("alerts", name, str(error), remedy=error.remedy or _REMEDY)
