"""Alerts: what people were told, by which ways, and whether it got through."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final

from django.core.paginator import Page, Paginator
from django.db.models import Case, Count, IntegerField, Max, Q, Value, When

from apps.alerts import wiring
from apps.alerts.models import TRANSPORTS, AlertRecord, BotBinding, Delivery, DeniedChat
from apps.alerts.services.pairing import binding
from apps.dashboard.asks import Ask

ROWS_PER_PAGE: Final = 50
DELIVERIES_SHOWN: Final = 20
ALARMS_MAX: Final = 3
COUNTED_MAX: Final = 100
#: Rules that say that a service of ours is degraded.
_SERVICES: Final = ("socket", "api", "feed")
_WORDS: Final = {"telegram": "Telegram", "discord": "Discord", "email": "E-mail", "webhook": "Webhook"}
_WORST_FIRST: Final = Case(
    When(severity="critical", then=Value(0)),
    When(severity="warning", then=Value(1)),
    default=Value(2),
    output_field=IntegerField(),
)


@dataclass(frozen=True, slots=True, kw_only=True)
class WayRow:
    """One way of telling and how it goes. ``error`` is that of the newest message that did not get through."""

    name: str
    words: str
    is_configured: bool
    waiting: int
    failed: int
    sent_at: datetime | None
    error: str

    @property
    def state(self) -> str:
        """Return the word of its state."""
        if not self.is_configured:
            return "not_configured"
        return "down" if self.error else "ok"


def alert_rows(ask: Ask) -> dict[str, Any]:
    """Return a page of open alerts, the worst first, or of those that are over."""
    if ask.get("tab") == "over":
        rows = AlertRecord.objects.exclude(resolved_at=None).order_by("-resolved_at", "-id")
    else:
        rows = AlertRecord.objects.filter(resolved_at=None).order_by(_WORST_FIRST, "-first_at", "-id")
    page: Page[AlertRecord] = Paginator(rows, ROWS_PER_PAGE).get_page(ask.page)
    return {"page_obj": page, "rows": list(page.object_list)}


def alert_tabs(_: Ask) -> dict[str, Any]:
    """Return how many alerts are open and over."""
    totals = AlertRecord.objects.aggregate(
        open=Count("pk", filter=Q(resolved_at=None)), over=Count("pk", filter=~Q(resolved_at=None))
    )
    return {"tabs": [("", "Open", totals["open"]), ("over", "Over", totals["over"])]}


def way_rows(_: Ask) -> dict[str, Any]:
    """Return every way of telling, and the newest messages."""
    configured = wiring.configured()
    counted: dict[str, dict[str, Any]] = {
        row["transport"]: dict(row)
        for row in Delivery.objects.order_by()
        .values("transport")
        .annotate(
            waiting=Count("pk", filter=Q(status__in=("waiting", "sending"))),
            failed=Count("pk", filter=Q(status="failed")),
            sent=Max("sent_at"),
            newest_sent=Max("pk", filter=Q(status="sent")),
            newest_bad=Max("pk", filter=~Q(error="")),
        )
    }
    bad = {row.transport: row for row in Delivery.objects.filter(pk__in=_newest_bad(counted))}
    ways = [
        WayRow(
            name=name,
            words=_WORDS[name],
            is_configured=name in configured,
            waiting=counted.get(name, {}).get("waiting", 0),
            failed=counted.get(name, {}).get("failed", 0),
            sent_at=counted.get(name, {}).get("sent"),
            error=bad[name].error if name in bad else "",
        )
        for name in TRANSPORTS
    ]
    deliveries = list(Delivery.objects.select_related("alert")[:DELIVERIES_SHOWN])
    return {"ways": ways, "deliveries": deliveries, "way_words": _WORDS}


def _newest_bad(counted: dict[str, dict[str, Any]]) -> list[int]:
    """Return the newest troubled message of each way that has delivered nothing since."""
    return [
        row["newest_bad"]
        for row in counted.values()
        if row["newest_bad"] is not None and row["newest_bad"] > (row["newest_sent"] or 0)
    ]


def alert_of(alert_id: int) -> AlertRecord | None:
    """Return one alert, None when there is none."""
    return AlertRecord.objects.filter(pk=alert_id).first()


def deliveries_of(alert: AlertRecord) -> list[Delivery]:
    """Return what was said about an alert, newest first."""
    return list(alert.deliveries.all()[:ROWS_PER_PAGE])


def alerts_wanting() -> tuple[list[AlertRecord], int]:
    """Return what every page shows, critical alerts and degraded services, and how many want somebody.

    Wanting are those neither over nor acknowledged, and more than worth knowing; past COUNTED_MAX they are not counted.
    """
    rows = AlertRecord.objects.filter(resolved_at=None, acknowledged_at=None).exclude(severity="info")
    wanting = list(rows.order_by(_WORST_FIRST, "-first_at", "-id")[:COUNTED_MAX])
    alarms = [row for row in wanting if row.severity == "critical" or row.rule in _SERVICES]
    return alarms[:ALARMS_MAX], len(wanting)


def bot_state() -> dict[str, Any]:
    """Return whom the Telegram bot obeys, and how many strangers it denied."""
    found: BotBinding = binding()
    return {
        "bot": found,
        "is_bot_configured": "telegram" in wiring.configured(),
        "denied": DeniedChat.objects.count(),
    }
