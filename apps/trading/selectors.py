"""What pages and the API show of trading. Reads only."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from datetime import datetime

from django.db.models import Prefetch, QuerySet
from django.utils import timezone

from apps.chains.selectors import chain_profile
from apps.discovery.models import Pair
from apps.domain.decision import SkipStage
from apps.domain.market import BlockRef
from apps.domain.order import OrderStatus
from apps.domain.position import Pnl
from apps.intelligence.models import AnalysisRecord
from apps.risk.models import VerdictRecord
from apps.trading.logic.pnl import pnl_of
from apps.trading.logic.ranking import Candidate, ranked
from apps.trading.models import (
    DecisionRecord,
    EquityPoint,
    FillRecord,
    Opportunity,
    OpportunityStatus,
    Order,
    Position,
    TxAttempt,
)
from apps.trading.services.clock import ms_of
from apps.trading.services.positions import totals_of

LIST_MAX = 500
_POINTS_MAX = 2_000


@dataclass(frozen=True, slots=True, kw_only=True)
class FunnelReason:
    """Why opportunities ended (or wait) at a stage; ``stage`` "" is an order that came to nothing."""

    stage: str
    code: str
    explanation: str
    count: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Funnel:
    """How many pairs came how far. Each step counts those that passed it."""

    registered: int
    evaluated: int
    passed_filter: int
    passed_risk: int
    scored: int
    limited: int
    ordered: int
    filled: int
    reasons: tuple[FunnelReason, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Counters:
    """The figures at the top of the overview."""

    waiting: int
    open_positions: int
    stuck_positions: int
    closed_positions: int
    orders_under_way: int
    orders_filled: int
    realised_usd_micros: int


@dataclass(frozen=True, slots=True, kw_only=True)
class PositionView:
    """A position with its result in the chain's coin before gas; ``pnl.unrealised`` None: no fresh price."""

    position: Position
    pnl: Pnl


@dataclass(frozen=True, slots=True, kw_only=True)
class TraceStep:
    """One stage of a pair's road. ``after_ms`` is the time since the stage before, None for the first."""

    stage: str
    at: datetime
    after_ms: int | None
    detail: str


def funnel(*, since: datetime | None = None) -> Funnel:
    """Return the funnel "why no trade" of the pairs registered since then."""
    pairs, rows = Pair.objects.all(), Opportunity.objects.all()
    if since is not None:
        pairs, rows = pairs.filter(registered_at__gte=since), rows.filter(created_at__gte=since)
    ended: Counter[tuple[str, str]] = Counter()
    words: dict[tuple[str, str], str] = {}
    values = rows.filter(evaluations__gt=0).values_list("skip_stage", "skip_code", "skip_explanation")
    for stage, code, explanation in values.iterator(chunk_size=2_000):
        ended[stage, code] += 1
        words.setdefault((stage, code), explanation)
    left, passed = sum(ended.values()), []
    for step in SkipStage:
        left -= sum(count for (stage, _), count in ended.items() if stage == step.value)
        passed.append(left)
    entries = Order.objects.filter(opportunity__in=rows, side="buy")
    return Funnel(
        registered=pairs.count(),
        evaluated=sum(ended.values()),
        passed_filter=passed[0],
        passed_risk=passed[1],
        scored=passed[2],
        limited=passed[3],
        ordered=entries.order_by().values("opportunity").distinct().count(),
        filled=entries.filter(status=OrderStatus.FILLED.value)
        .order_by()
        .values("opportunity")
        .distinct()
        .count(),
        reasons=tuple(
            FunnelReason(stage=stage, code=code, explanation=words[stage, code], count=count)
            for (stage, code), count in ended.most_common()
            if code
        ),
    )


def opportunity_queue(*, limit: int = 100) -> tuple[Opportunity, ...]:
    """Return the opportunities that wait or are being looked at, best first."""
    rows = Opportunity.objects.filter(
        status__in=(OpportunityStatus.WAITING, OpportunityStatus.EVALUATING)
    ).select_related("pair__base", "pair__quote")
    by_id = {item.pk: item for item in rows.order_by("-id")[:LIST_MAX]}
    order = ranked(
        tuple(
            Candidate(opportunity_id=key, score_bps=item.score_bps, created_at_ms=ms_of(item.created_at))
            for key, item in by_id.items()
        )
    )
    return tuple(by_id[item.opportunity_id] for item in order[:limit])


def positions_with_pnl(*, status: str = "open", limit: int = 100) -> tuple[PositionView, ...]:
    """Return positions of one status, newest first, with their results."""
    rows = Position.objects.filter(status=status).select_related("pair__base", "pair__quote")
    return tuple(position_view(item) for item in rows[: min(limit, LIST_MAX)])


def position_view(position: Position) -> PositionView:
    """Return a position with its result as of its last mark."""
    marked = None
    if position.mark_block_number is not None and position.marked_at is not None:
        marked = BlockRef(position.mark_block_number, "", ms_of(position.marked_at))
    pnl = pnl_of(
        totals_of(position),
        native=chain_profile(position.chain_key).native,
        value_raw=0 if position.status == "closed" else position.mark_value_raw,
        marked_at=marked,
    )
    return PositionView(position=position, pnl=pnl)


def orders_with_attempts(*, limit: int = 100) -> QuerySet[Order]:
    """Return the newest orders with pair, transactions and fills loaded."""
    return Order.objects.select_related("pair__base", "pair__quote").prefetch_related(
        Prefetch("attempts", queryset=TxAttempt.objects.defer("payload")), "fills"
    )[: min(limit, LIST_MAX)]


def equity_line(*, since: datetime | None = None) -> tuple[EquityPoint, ...]:
    """Return the newest points of the equity line, oldest first."""
    rows = EquityPoint.objects.order_by("-at")
    if since is not None:
        rows = rows.filter(at__gte=since)
    return tuple(reversed(rows[:_POINTS_MAX]))


def counters() -> Counters:
    """Return the figures at the top of the overview; realised is of today, UTC."""
    positions = Counter(Position.objects.order_by().values_list("status", flat=True))
    orders = Counter(Order.objects.order_by().values_list("status", flat=True))
    under_way = (
        OrderStatus.CREATED,
        OrderStatus.CLAIMED,
        OrderStatus.SIGNED,
        OrderStatus.SUBMITTED,
        OrderStatus.UNKNOWN,
    )
    midnight = timezone.now().replace(hour=0, minute=0, second=0, microsecond=0)
    closed_today = Position.objects.filter(closed_at__gte=midnight)
    return Counters(
        waiting=Opportunity.objects.filter(status=OpportunityStatus.WAITING).count(),
        open_positions=positions["open"],
        stuck_positions=positions["stuck"],
        closed_positions=positions["closed"],
        orders_under_way=sum(orders[status.value] for status in under_way),
        orders_filled=orders[OrderStatus.FILLED.value],
        realised_usd_micros=sum(
            value or 0 for value in closed_today.values_list("realised_usd_micros", flat=True)
        ),
    )


def trace(*, trace_id: str) -> tuple[TraceStep, ...]:
    """Return a pair's whole road as it really happened, with the milliseconds between its stages."""
    moments: list[tuple[datetime, str, str]] = []
    opportunity = Opportunity.objects.filter(trace_id=trace_id).select_related("pair").first()
    if opportunity is not None:
        pair = opportunity.pair
        moments.append((pair.created_block_at, "block mined", f"block {pair.created_block_number}"))
        moments.append((pair.registered_at, "registered", f"by {pair.source}"))
        moments.append((opportunity.created_at, "opportunity", f"number {opportunity.number}"))
    moments += [
        (item.created_at, "analysed", f"facts read in {item.facts_duration_ms} ms")
        for item in AnalysisRecord.objects.filter(trace_id=trace_id)
    ]
    moments += [
        (item.created_at, "judged", f"{item.outcome}, score {item.score_bps} bps")
        for item in VerdictRecord.objects.filter(trace_id=trace_id)
    ]
    for decision in DecisionRecord.objects.filter(trace_id=trace_id).defer("inputs"):
        code = decision.reasons[0]["code"] if decision.reasons else ""
        moments.append((decision.created_at, "decided", f"{decision.action}: {code}"))
    moments += _order_moments(trace_id)
    return _steps(moments)


def _order_moments(trace_id: str) -> list[tuple[datetime, str, str]]:
    moments: list[tuple[datetime, str, str]] = []
    for order in Order.objects.filter(trace_id=trace_id).prefetch_related("attempts"):
        name = f"order {order.pk} to {order.side}"
        moments.append((order.created_at, "ordered", name))
        if order.claimed_at is not None:
            moments.append((order.claimed_at, "claimed", f"{name} by {order.claimed_by}"))
        for attempt in order.attempts.all():
            moments.append((attempt.signed_at, "signed", f"{attempt.purpose} {attempt.tx_hash}"))
            if attempt.broadcast_at is not None:
                moments.append((attempt.broadcast_at, "sent", f"{attempt.purpose} {attempt.tx_hash}"))
            if attempt.seen_mined_at is not None:
                detail = f"{attempt.purpose} {attempt.status} in block {attempt.block_number}"
                moments.append((attempt.seen_mined_at, "seen mined", detail))
    moments += [
        (item.booked_at, "booked", f"{item.side} in block {item.block_number}")
        for item in FillRecord.objects.filter(trace_id=trace_id)
    ]
    closed = Position.objects.filter(trace_id=trace_id).exclude(closed_at=None)
    moments += [(item.closed_at, "closed", item.exit_tag) for item in closed if item.closed_at is not None]
    return moments


def _steps(moments: list[tuple[datetime, str, str]]) -> tuple[TraceStep, ...]:
    steps: list[TraceStep] = []
    for at, stage, detail in sorted(moments, key=lambda item: item[0]):
        after = None if not steps else ms_of(at) - ms_of(steps[-1].at)
        steps.append(TraceStep(stage=stage, at=at, after_ms=after, detail=detail))
    return tuple(steps)
