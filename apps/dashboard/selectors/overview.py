"""The overview: counters, the equity line, the live feed and the funnel."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from django.db.models import Count, Min, OuterRef, Subquery
from django.utils import timezone

from apps.dashboard.asks import Ask
from apps.dashboard.logic.funnel import Group, Step, funnel
from apps.discovery.selectors import refusals
from apps.domain.events import EventKind
from apps.domain.foreign_text import clean_sentence
from apps.domain.money import raw_to_units
from apps.domain.order import FINAL_STATUSES, OrderStatus
from apps.state.models import Event
from apps.trading.models import Opportunity, Order
from apps.trading.reading.figures import Counters, counters_since, equity_line, worth

PERIODS = {"1h": timedelta(hours=1), "24h": timedelta(hours=24), "7d": timedelta(days=7)}
PERIOD_DEFAULT = "24h"
FEED_LENGTH = 40
EXPLANATION_LENGTH_MAX = 300
#: Events whose summary does not name the token.
_NAMELESS = frozenset(
    {EventKind.DECISION_MADE.value, EventKind.ORDER_CHANGED.value, EventKind.POSITION_CHANGED.value}
)
#: Feed filter -> the kinds of events it shows; "" shows all.
FEEDS: dict[str, tuple[str, tuple[EventKind, ...]]] = {
    "": ("All", ()),
    "trades": ("Trades", (EventKind.TRADE_EXECUTED, EventKind.ORDER_CHANGED, EventKind.POSITION_CHANGED)),
    "pairs": ("Pairs", (EventKind.OPPORTUNITY_FOUND, EventKind.NEW_PAIR_ANALYSIS, EventKind.PAIR_CHANGED)),
    "decisions": ("Decisions", (EventKind.DECISION_MADE,)),
    "alerts": (
        "Alerts",
        (
            EventKind.RISK_ALERT,
            EventKind.WHALE_ACTIVITY_ALERT,
            EventKind.COORDINATION_DETECTED,
            EventKind.MARKET_REGIME_CHANGE,
            EventKind.INCIDENT_OPENED,
            EventKind.INCIDENT_CLOSED,
        ),
    ),
    "system": (
        "System",
        (
            EventKind.ENGINE_STATUS,
            EventKind.CONFIG_CHANGED,
            EventKind.COMPONENT_CHANGED,
            EventKind.ALERT_CHANGED,
            EventKind.BOT_COMMAND,
            EventKind.KEY_USED,
            EventKind.LOGIN,
            EventKind.ACCESS_CHANGED,
        ),
    ),
}
#: Every order tells of itself: its signatures stand in the audit trail alone.
_QUIET = (EventKind.KEY_SIGNED.value,)


@dataclass(frozen=True, slots=True, kw_only=True)
class FeedLine:
    """One line of the feed, with the page it leads to ("" for none)."""

    id: int
    kind: str
    at: datetime
    summary: str
    actor: str
    trace_id: str
    subject: str
    subject_id: str
    symbol: str | None  # of the token it is about; None where it is about no token, or its own words name it


def period_of(ask: Ask) -> tuple[str, datetime]:
    """Return the chosen period's name and its beginning."""
    name = ask.get("period") if ask.get("period") in PERIODS else PERIOD_DEFAULT
    return name, timezone.now() - PERIODS[name]


def counters(ask: Ask) -> Counters:
    """Return the figures of the tiles."""
    return counters_since(period_of(ask)[1])


def equity_points(ask: Ask) -> dict[str, Any]:
    """Return the equity line for the chart and, without script, for the sparkline."""
    _, since = period_of(ask)
    line = equity_line(since)
    data = [
        {"time": int(point.at.timestamp()), "value": f"{raw_to_units(worth(point), 6):f}"} for point in line
    ]
    unique = list({point["time"]: point for point in data}.values())
    base = unique[0]["value"] if unique else "0"
    series = [{"kind": "baseline", "label": "Equity", "base": base, "data": unique}]
    return {"chart": {"unit": "usd", "series": series}, "values": [worth(point) for point in line]}


def feed(ask: Ask) -> tuple[FeedLine, ...]:
    """Return the newest events of the chosen kinds, newest first."""
    _, kinds = FEEDS.get(ask.get("feed"), FEEDS[""])
    events = Event.objects.order_by("-id")
    if kinds:
        events = events.filter(kind__in=[kind.value for kind in kinds])
    else:
        events = events.exclude(kind__in=_QUIET)
    fields = ("id", "kind", "at", "summary", "actor", "trace_id", "subject")
    rows = list(events.values(*fields)[:FEED_LENGTH])
    traces = {row["trace_id"] for row in rows if row["kind"] in _NAMELESS} - {""}
    symbols = dict(
        Opportunity.objects.filter(trace_id__in=traces).values_list("trace_id", "pair__base__symbol")
    )
    return tuple(_feed_line(row, symbols) for row in rows)


def funnel_steps(ask: Ask) -> tuple[Step, ...]:
    """Return why no trade, over the chosen period."""
    _, since = period_of(ask)
    rows = (
        Opportunity.objects.filter(created_at__gte=since)
        .order_by()
        .values("status", "skip_stage", "skip_code")
        .annotate(count=Count("pk"), explanation=Min("skip_explanation"))
    )
    last_entry = (
        Order.objects.filter(opportunity=OuterRef("pk"), side="buy").order_by("-id").values("status")[:1]
    )
    entered = Opportunity.objects.filter(created_at__gte=since, status="entered").annotate(
        order=Subquery(last_entry)
    )
    by_status = dict(entered.order_by().values_list("order").annotate(Count("pk")))
    ended = [status.value for status in FINAL_STATUSES if status is not OrderStatus.FILLED]
    return funnel(
        set_aside=[(item.explanation, item.count, item.code) for item in refusals(since=since)],
        groups=[
            Group(
                status=row["status"],
                stage=row["skip_stage"],
                code=row["skip_code"],
                explanation=clean_sentence(row["explanation"] or "", EXPLANATION_LENGTH_MAX),
                count=row["count"],
            )
            for row in rows
        ],
        bought=by_status.get(OrderStatus.FILLED.value, 0),
        orders_ended={name: by_status[name] for name in ended if by_status.get(name)},
    )


def _feed_line(row: dict[str, Any], symbols: dict[str, str]) -> FeedLine:
    subject, _, subject_id = row["subject"].partition(":")
    return FeedLine(
        id=row["id"],
        kind=row["kind"],
        at=row["at"],
        summary=row["summary"],
        actor=row["actor"],
        trace_id=row["trace_id"],
        subject=subject,
        subject_id=subject_id if subject_id.isdigit() else "",
        symbol=symbols.get(row["trace_id"]) if row["kind"] in _NAMELESS else None,
    )
