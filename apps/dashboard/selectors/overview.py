"""The overview: counters, the equity line, the live feed and the funnel."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from statistics import median
from typing import Any

from django.db.models import Count, F, Max, Min, OuterRef, Q, Subquery
from django.utils import timezone

from apps.dashboard.asks import Ask
from apps.dashboard.logic.funnel import Group, Step, funnel
from apps.dashboard.selectors.chains import chains_not_followed
from apps.discovery.selectors import pairs_seen, refusals
from apps.domain.errors import SniperError
from apps.domain.events import EventKind
from apps.domain.foreign_text import clean_sentence
from apps.domain.money import raw_to_units, usd_to_micros
from apps.domain.order import FINAL_STATUSES, OrderStatus
from apps.risk.models import Budget
from apps.state.models import Event
from apps.state.services.config import active_config
from apps.trading.models import DecisionRecord, EquityPoint, JournalEntry, Opportunity, Order, Position

PERIODS = {"1h": timedelta(hours=1), "24h": timedelta(hours=24), "7d": timedelta(days=7)}
PERIOD_DEFAULT = "24h"
FEED_LENGTH = 40
EXPLANATION_LENGTH_MAX = 300
POINTS_MAX = 500
#: So many newest first decisions make the reaction time.
_REACTIONS = 200
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
class Counters:
    """The overview's figures; None where there is nothing to say yet."""

    equity_usd_micros: int | None
    cash_usd_micros: int | None
    equity_change_bps: int | None  # over the period
    drawdown_bps: int | None  # deepest fall from a high within the period
    unpriced_positions: int
    realised_today_usd_micros: int
    loss_max_usd_micros: int | None
    exposure_usd_micros: int
    exposure_max_usd_micros: int | None
    positions_open: int
    positions_max: int | None
    unrealised_usd_micros: int | None
    closed: int
    won: int
    seen: int
    bought: int
    reaction_ms: int | None  # median, registered to first decision


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
    _, since = period_of(ask)
    line = _equity(since)
    day = timezone.now().date()
    budget = Budget.objects.filter(scope="all").first() or Budget(scope="all", day=day)
    limits = _limits()
    closed = Position.objects.filter(status="closed", closed_at__gte=since).aggregate(
        closed=Count("pk"), won=Count("pk", filter=Q(realised_usd_micros__gt=0))
    )
    unrealised, open_count = _unrealised()
    first, last = (line[0], line[-1]) if line else (None, None)
    return Counters(
        equity_usd_micros=None if last is None else _worth(last),
        cash_usd_micros=None if last is None else last.cash_usd_micros,
        equity_change_bps=None
        if first is None or last is None or not _worth(first)
        else (_worth(last) - _worth(first)) * 10_000 // _worth(first),
        drawdown_bps=_drawdown_bps([_worth(point) for point in line]) if line else None,
        unpriced_positions=0 if last is None else last.unpriced_positions,
        realised_today_usd_micros=budget.realised_today_usd_micros if budget.day == day else 0,
        loss_max_usd_micros=limits[0],
        exposure_usd_micros=budget.exposure_usd_micros,
        exposure_max_usd_micros=limits[1],
        positions_open=open_count,
        positions_max=limits[2],
        unrealised_usd_micros=unrealised,
        closed=closed["closed"],
        won=closed["won"],
        seen=pairs_seen(since=since),
        bought=Position.objects.filter(opened_at__gte=since).count(),
        reaction_ms=_reaction_ms(),
    )


def equity_points(ask: Ask) -> dict[str, Any]:
    """Return the equity line for the chart and, without script, for the sparkline."""
    _, since = period_of(ask)
    line = _equity(since)
    data = [
        {"time": int(point.at.timestamp()), "value": f"{raw_to_units(_worth(point), 6):f}"} for point in line
    ]
    unique = list({point["time"]: point for point in data}.values())
    base = unique[0]["value"] if unique else "0"
    series = [{"kind": "baseline", "label": "Equity", "base": base, "data": unique}]
    return {"chart": {"unit": "usd", "series": series}, "values": [_worth(point) for point in line]}


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


def _equity(since: datetime) -> Sequence[EquityPoint]:
    """Return the period's points in order, thinned to what a chart can show; the newest is always there.

    The line begins anew when money was put in or taken out: that is no gain and no loss.
    """
    moved = JournalEntry.objects.filter(kind__in=("deposit", "withdrawal")).aggregate(last=Max("at"))["last"]
    points = EquityPoint.objects.filter(at__gte=max(since, moved or since))
    newest = points.order_by("-at").first()
    if newest is None:
        return ()
    step = points.count() // POINTS_MAX + 1
    thinned = points.exclude(pk=newest.pk).annotate(place=F("id") % step).filter(place=0).order_by("-at")
    return [*reversed(thinned[: 2 * POINTS_MAX]), newest]


def _worth(point: EquityPoint) -> int:
    return point.cash_usd_micros + point.positions_usd_micros


def _drawdown_bps(values: list[int]) -> int:
    high, deepest = values[0], 0
    for value in values:
        high = max(high, value)
        if high > 0:
            deepest = max(deepest, (high - value) * 10_000 // high)
    return deepest


def _limits() -> tuple[int | None, int | None, int | None]:
    try:
        limits = active_config().config.limits
    except SniperError:
        return None, None, None
    return (
        usd_to_micros(limits.daily_loss_max_usd),
        usd_to_micros(limits.exposure_max_usd),
        limits.open_positions_max,
    )


def _unrealised() -> tuple[int | None, int]:
    """Return the open positions' result at their cost's dollar price, None when one has no fresh price; their count."""
    silent = chains_not_followed()
    fields = ("chain_key", "cost_usd_micros", "cost_raw", "realised_cost_raw", "mark_value_raw")
    rows = list(Position.objects.exclude(status="closed").values_list(*fields))
    results = [
        None if mark is None or not cost or chain in silent else usd * (mark - (cost - gone)) // cost
        for chain, usd, cost, gone, mark in rows
    ]
    known = [value for value in results if value is not None]
    return (sum(known) if len(known) == len(results) else None), len(rows)


def _reaction_ms() -> int | None:
    rows = (
        DecisionRecord.objects.filter(number=1)
        .order_by("-id")
        .annotate(registered_at=F("opportunity__pair__registered_at"))
        .values_list("registered_at", "created_at")[:_REACTIONS]
    )
    times = [int((decided - registered).total_seconds() * 1000) for registered, decided in rows]
    return int(median(times)) if times else None


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
