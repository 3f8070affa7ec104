"""How work flows down the road: how many passed each stage lately, and how long each stage took."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta

from django.db.models import Count, Q

from apps.domain.order import FINAL_STATUSES, OrderStatus
from apps.intelligence.models import AnalysisRecord
from apps.risk.models import VerdictRecord
from apps.trading.logic.trade_clock import Spread, spread
from apps.trading.models import DecisionRecord, FillRecord, Opportunity, Order, TxAttempt
from apps.trading.services.trade_clock import trades_clocked

WINDOW = timedelta(minutes=15)
#: The newest rows of the window whose latencies are looked at.
ROWS_MAX = 200
IN_FLIGHT = tuple(status.value for status in OrderStatus if status not in FINAL_STATUSES)
_MILLISECOND = timedelta(milliseconds=1)


@dataclass(frozen=True, slots=True, kw_only=True)
class Stage:
    """One stage of the road: how many rows passed it in the window, and how long after the stage before."""

    name: str
    count: int
    latency: Spread | None  # milliseconds; None: the first stage, or nothing tells

    @property
    def latency_ms_p50(self) -> int | None:
        """Return the median, None when nothing tells."""
        return None if self.latency is None else self.latency.p50

    @property
    def latency_ms_p95(self) -> int | None:
        """Return the 95th percentile, None when nothing tells."""
        return None if self.latency is None else self.latency.p95


@dataclass(frozen=True, slots=True, kw_only=True)
class Flow:
    """The road over the window."""

    window_s: int
    stages: tuple[Stage, ...]  # in the order of the road
    waiting: int  # opportunities whose evaluation is due
    orders_in_flight: int

    def stage(self, name: str) -> Stage:
        """Return a stage by its name."""
        return next(item for item in self.stages if item.name == name)


def flow_figures(*, now: datetime, window: timedelta = WINDOW) -> Flow:
    """Return how work flowed in the window up to ``now``; nine queries, each bounded by the window or by ROWS_MAX."""
    since = now - window
    decisions = DecisionRecord.objects.filter(created_at__gt=since, created_at__lte=now)
    decided = decisions.aggregate(all=Count("pk"), entered=Count("pk", filter=Q(action="enter")))
    rows = list(
        decisions.filter(position=None)
        .order_by("-id")
        .values_list(
            "number",
            "opportunity__created_at",
            "analysis__created_at",
            "verdict__created_at",
            "created_at",
        )[:ROWS_MAX]
    )
    trades = trades_clocked(now=now, limit=ROWS_MAX)
    since_ms = int(since.timestamp() * 1_000)
    recent = [trade.stretches for trade in trades if trade.moments.booked_ms >= since_ms]

    def of_trades(name: str) -> Spread | None:
        return spread([stretches[name] for stretches in recent if name in stretches])

    counted = {
        "found": Opportunity.objects.filter(created_at__gt=since, created_at__lte=now).count(),
        "analysed": AnalysisRecord.objects.filter(created_at__gt=since, created_at__lte=now).count(),
        "judged": VerdictRecord.objects.filter(created_at__gt=since, created_at__lte=now).count(),
        "decided": decided["all"],
        "entered": decided["entered"],
        "sent": TxAttempt.objects.filter(
            broadcast_at__gt=since, broadcast_at__lte=now, purpose="swap"
        ).count(),
        "booked": FillRecord.objects.filter(
            booked_at__gt=since, booked_at__lte=now, reversed_at=None
        ).count(),
    }
    latencies = {
        "analysed": _between([(found, analysed) for number, found, analysed, _, _ in rows if number == 1]),
        "judged": _between([(analysed, judged) for _, _, analysed, judged, _ in rows]),
        "decided": _between([(judged, made) for _, _, _, judged, made in rows]),
        "sent": of_trades("decided_to_sent"),
        "booked": of_trades("sent_to_booked"),
    }
    return Flow(
        window_s=int(window.total_seconds()),
        stages=tuple(
            Stage(name=name, count=count, latency=latencies.get(name)) for name, count in counted.items()
        ),
        waiting=Opportunity.objects.filter(status="waiting", evaluate_after__lte=now).count(),
        orders_in_flight=Order.objects.filter(status__in=IN_FLIGHT).count(),
    )


def _between(moments: list[tuple[datetime | None, datetime | None]]) -> Spread | None:
    """Return how long after the first moment the second one was; pairs with an unknown end tell nothing."""
    return spread(
        [
            max((last - first) // _MILLISECOND, 0)
            for first, last in moments
            if first is not None and last is not None
        ]
    )
