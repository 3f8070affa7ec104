"""How trading stands: worth, exposure, results, and how many pairs led to a purchase."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from statistics import median

from django.db.models import Count, F, Max, Q
from django.utils import timezone

from apps.discovery.heads import chains_not_followed
from apps.discovery.selectors import pairs_seen
from apps.domain.errors import SniperError
from apps.domain.money import usd_to_micros
from apps.risk.models import Budget
from apps.state.services.config import active_config
from apps.trading.models import DecisionRecord, EquityPoint, JournalEntry, Position

POINTS_MAX = 500
#: So many newest first decisions make the reaction time.
_REACTIONS = 200


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


def counters_since(since: datetime) -> Counters:
    """Return how things stand, and what was won, lost and seen since that moment."""
    line = equity_line(since)
    day = timezone.now().date()
    budget = Budget.objects.filter(scope="all").first() or Budget(scope="all", day=day)
    limits = _limits()
    closed = Position.objects.filter(status="closed", closed_at__gte=since).aggregate(
        closed=Count("pk"), won=Count("pk", filter=Q(realised_usd_micros__gt=0))
    )
    unrealised, open_count = _unrealised()
    first, last = (line[0], line[-1]) if line else (None, None)
    return Counters(
        equity_usd_micros=None if last is None else worth(last),
        cash_usd_micros=None if last is None else last.cash_usd_micros,
        equity_change_bps=None
        if first is None or last is None or not worth(first)
        else (worth(last) - worth(first)) * 10_000 // worth(first),
        drawdown_bps=_drawdown_bps([worth(point) for point in line]) if line else None,
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


def equity_line(since: datetime) -> Sequence[EquityPoint]:
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


def worth(point: EquityPoint) -> int:
    """Return everything together at that moment, in millionths of US dollars."""
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
