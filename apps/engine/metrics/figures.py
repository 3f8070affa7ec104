"""How the system stands now: each figure by one bounded query of the database, whichever process asks."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any
from urllib.parse import urlsplit

from django.db.models import Count, Min, Sum

from apps.chains.models import Endpoint
from apps.discovery.heads import ChainHead, chain_heads
from apps.domain.engine import EngineView
from apps.domain.errors import Category, SniperError
from apps.domain.money import BPS_ONE
from apps.domain.order import OrderStatus
from apps.engine.logic.uptime import Stretch, uptime_bps
from apps.engine.metrics.flow import IN_FLIGHT, Flow, flow_figures
from apps.state.models import Event, Heartbeat, Incident
from apps.state.services.engine import engine_view
from apps.trading.models import AccountBalance, JournalEntry, Opportunity, Order, Position
from apps.trading.reading.figures import Counters, counters_since

DAY = timedelta(hours=24)
#: Rows of each kind that are told, the first ones by name.
ROWS_MAX = 100
#: The web server's own signs of life: what it served, and since when.
WEB, SOCKETS = "web", "sockets"
SOCKETS_STALE_S = 30
UPTIME_WINDOW_S = 24 * 3_600
_FAILED = (OrderStatus.REVERTED.value, OrderStatus.DROPPED.value, OrderStatus.EXPIRED.value)


@dataclass(frozen=True, slots=True, kw_only=True)
class Execution:
    """Orders that ended in the window. Those that we ourselves denied or cancelled before signing do not count."""

    window_s: int
    filled: int
    failed: dict[str, int]  # by status

    @property
    def success_bps(self) -> int | None:
        """Return the share that was filled, rounded down; None when none ended."""
        ended = self.filled + sum(self.failed.values())
        return self.filled * BPS_ONE // ended if ended else None


@dataclass(frozen=True, slots=True, kw_only=True)
class Component:
    """A part of the system by its last sign of life."""

    name: str
    is_up: bool
    age_s: float
    details: dict[str, Any]


@dataclass(frozen=True, slots=True, kw_only=True)
class Queue:
    """Rows that wait for somebody. ``oldest_s`` None: nothing waits."""

    name: str
    depth: int
    oldest_s: int | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Rpc:
    """An endpoint that is configured. Only its host is told: addresses may hold keys."""

    chain_key: str
    endpoint_id: int
    host: str
    is_up: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class Errors:
    """Incidents of one category."""

    category: str
    occurrences: int  # ever, repeats included
    open: dict[str, int]  # by severity


@dataclass(frozen=True, slots=True, kw_only=True)
class Reconciliation:
    """Does the book equal the chain? ``accuracy_bps``: balances without an open difference; None: none is kept."""

    balances: int
    differences: int
    adjustments: int  # entries ever that made the book follow the chain

    @property
    def accuracy_bps(self) -> int | None:
        """Return the share of balances that agree, rounded down."""
        if not self.balances:
            return None
        return max(self.balances - self.differences, 0) * BPS_ONE // self.balances


@dataclass(frozen=True, slots=True, kw_only=True)
class Web:
    """What the web server told of itself last. None: it did not, or nothing came in its window."""

    requests: int
    errors: int  # answered by 5xx
    latency_ms_p50: int | None
    latency_ms_p95: int | None
    window_s: int
    socket_clients: int
    socket_uptime_bps: int | None


@dataclass(frozen=True, slots=True, kw_only=True)
class SystemFigures:
    """Everything at a moment."""

    at: datetime
    engine: EngineView | None
    flow: Flow
    execution: Execution
    components: tuple[Component, ...]
    queues: tuple[Queue, ...]
    rpcs: tuple[Rpc, ...]
    heads: tuple[ChainHead, ...]
    errors: tuple[Errors, ...]
    reconciliation: Reconciliation
    money: Counters
    realised_usd_micros: int  # of all closed positions
    positions: dict[str, int]  # by status
    orders: dict[tuple[str, str], int]  # by side and status
    web: Web | None


def system_figures(*, now: datetime) -> SystemFigures:
    """Return how everything stands; about forty queries, none without a bound or an index."""
    components = components_now(now)
    return SystemFigures(
        at=now,
        engine=_engine(),
        flow=flow_figures(now=now),
        execution=execution_figures(now=now),
        components=components,
        queues=queues_now(now),
        rpcs=_rpcs(),
        heads=chain_heads(),
        errors=errors_now(),
        reconciliation=reconciliation_now(),
        money=counters_since(now - DAY),
        realised_usd_micros=Position.objects.filter(status="closed").aggregate(
            total=Sum("realised_usd_micros")
        )["total"]
        or 0,
        positions=dict(Position.objects.order_by().values_list("status").annotate(Count("pk"))),
        orders={
            (side, status): count
            for side, status, count in Order.objects.order_by()
            .values_list("side", "status")
            .annotate(Count("pk"))
        },
        web=web_now(components, now),
    )


def _engine() -> EngineView | None:
    try:
        return engine_view()
    except SniperError:
        return None


def execution_figures(*, now: datetime, window: timedelta = DAY) -> Execution:
    """Return how orders ended in the window up to ``now``."""
    ended = Order.objects.filter(status_at__gt=now - window, status_at__lte=now).order_by()
    statuses = (OrderStatus.FILLED.value, *_FAILED)
    counted = dict(ended.filter(status__in=statuses).values_list("status").annotate(Count("pk")))
    filled = counted.pop(OrderStatus.FILLED.value, 0)
    return Execution(window_s=int(window.total_seconds()), filled=filled, failed=counted)


def components_now(now: datetime) -> tuple[Component, ...]:
    """Return every component that ever gave a sign of life."""
    rows = Heartbeat.objects.order_by("component")[:ROWS_MAX]
    return tuple(
        Component(
            name=row.component,
            is_up=now - row.beat_at <= timedelta(seconds=row.stale_after_s),
            age_s=max((now - row.beat_at).total_seconds(), 0.0),
            details=row.details if isinstance(row.details, dict) else {},
        )
        for row in rows
    )


def queues_now(now: datetime) -> tuple[Queue, ...]:
    """Return what waits for an evaluation, a signature, a receipt, and its number in the log."""
    due = Opportunity.objects.filter(status="waiting", evaluate_after__lte=now)
    created = Order.objects.filter(status=OrderStatus.CREATED.value)
    flying = Order.objects.filter(status__in=IN_FLIGHT).exclude(status=OrderStatus.CREATED.value)
    unnumbered = Event.objects.filter(position=None)
    asked = (
        ("evaluate", due, "evaluate_after"),
        ("execute", created, "created_at"),
        ("settle", flying, "created_at"),
        ("relay", unnumbered, "at"),
    )
    found = []
    for name, rows, moment in asked:
        counted = rows.order_by().aggregate(depth=Count("pk"), oldest=Min(moment))
        oldest = counted["oldest"]
        age_s = None if oldest is None else max(int((now - oldest).total_seconds()), 0)
        found.append(Queue(name=name, depth=counted["depth"], oldest_s=age_s))
    return tuple(found)


def errors_now() -> tuple[Errors, ...]:
    """Return the incidents by category; every category is there."""
    ever = dict(Incident.objects.order_by().values_list("category").annotate(Sum("count")))
    open_rows = Incident.objects.filter(resolved_at=None).order_by()
    opened: dict[str, dict[str, int]] = {}
    for category, severity, count in open_rows.values_list("category", "severity").annotate(Count("pk")):
        opened.setdefault(category, {})[severity] = count
    return tuple(
        Errors(category=item.value, occurrences=ever.get(item.value) or 0, open=opened.get(item.value, {}))
        for item in Category
    )


def reconciliation_now() -> Reconciliation:
    """Return whether the wallets' books agree with the chains, as the last comparisons found."""
    open_differences = Incident.objects.filter(resolved_at=None, dedup_key__startswith="ledger/")
    return Reconciliation(
        balances=AccountBalance.objects.count(),
        differences=open_differences.count(),
        adjustments=JournalEntry.objects.filter(kind="adjust").count(),
    )


def _rpcs() -> tuple[Rpc, ...]:
    rows = Endpoint.objects.filter(enabled=True, chain__enabled=True).select_related("chain").order_by("id")
    return tuple(
        Rpc(
            chain_key=row.chain.key,
            endpoint_id=row.pk,
            host=urlsplit(row.url_http).hostname or "unknown",
            is_up=not row.fault,
        )
        for row in rows[:ROWS_MAX]
    )


def web_now(components: tuple[Component, ...], now: datetime) -> Web | None:
    """Return what the web server told of itself, None when it never did."""
    named = {item.name: item.details for item in components}
    if WEB not in named:
        return None
    http, sockets = named[WEB], named.get(SOCKETS, {})
    return Web(
        requests=http.get("requests", 0),
        errors=http.get("errors", 0),
        latency_ms_p50=http.get("latency_ms_p50"),
        latency_ms_p95=http.get("latency_ms_p95"),
        window_s=http.get("window_s", 0),
        socket_clients=sockets.get("clients", 0),
        socket_uptime_bps=uptime_bps(
            stretches_of(sockets),
            now_s=int(now.timestamp()),
            window_s=UPTIME_WINDOW_S,
            gap_max_s=SOCKETS_STALE_S,
        ),
    )


def stretches_of(details: dict[str, Any]) -> tuple[Stretch, ...]:
    """Return the stretches in which a component was up, as its heartbeat keeps them."""
    found = details.get("up")
    if not isinstance(found, list):
        return ()
    return tuple(
        (item[0], item[1])
        for item in found
        if isinstance(item, list) and len(item) == 2 and all(isinstance(value, int) for value in item)
    )


def newest_head_age_s(heads: tuple[ChainHead, ...], now: datetime) -> dict[str, float]:
    """Return how old each chain's newest block is; chains of which none was read are left out."""
    now_ms = now.timestamp() * 1_000
    return {
        head.key: max((now_ms - head.head_at_ms) / 1_000, 0.0)
        for head in heads
        if head.head_at_ms is not None
    }
