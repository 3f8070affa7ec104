"""The clock of our own entries, read from the rows that the road leaves at each step."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta

from django.db.models import Min

from apps.discovery.models import PoolSnapshot
from apps.trading.logic.trade_clock import STRETCHES, Spread, TradeMoments, spread, stretches_ms
from apps.trading.models import FillRecord
from apps.trading.services.clock import ms_of

#: The newest entries that are counted.
TRADES_MAX = 500
#: Snapshots of pools are kept for a week: of an older pair the first one need not be there any more.
_SNAPSHOTS_KEPT = timedelta(days=6)


@dataclass(frozen=True, slots=True, kw_only=True)
class ClockedTrade:
    """One booked entry with its clock."""

    order_id: int
    pair_id: int
    symbol: str
    trace_id: str
    chain_key: str
    moments: TradeMoments
    stretches: dict[str, int]  # milliseconds


def trades_clocked(*, now: datetime, limit: int = TRADES_MAX) -> tuple[ClockedTrade, ...]:
    """Return the newest booked entries, newest first, as far as their rows tell."""
    fills = FillRecord.objects.filter(side="buy", reversed_at=None).select_related(
        "attempt", "order__opportunity", "order__decision__analysis", "order__pair__base"
    )
    rows = list(fills.order_by("-id")[: min(limit, TRADES_MAX)])
    firsts = _first_liquidity_blocks(rows, now)
    return tuple(_clocked(row, firsts.get(row.order.pair_id)) for row in rows)


def spreads_of(trades: tuple[ClockedTrade, ...]) -> dict[str, Spread | None]:
    """Return how long each stretch took over these trades; None where no trade tells."""
    return {
        name: spread([trade.stretches[name] for trade in trades if name in trade.stretches])
        for name in STRETCHES
    }


def _first_liquidity_blocks(fills: list[FillRecord], now: datetime) -> dict[int, int]:
    """Return by pair the first block with reserves, of pairs whose chain we followed from their creation on."""
    pairs = [
        fill.order.pair_id
        for fill in fills
        if fill.order.pair.source == "chain" and fill.order.pair.registered_at > now - _SNAPSHOTS_KEPT
    ]
    rows = PoolSnapshot.objects.filter(pair_id__in=pairs).values("pair_id")
    return dict(rows.annotate(first=Min("block_number")).values_list("pair_id", "first"))


def _clocked(fill: FillRecord, first_liquidity_block: int | None) -> ClockedTrade:
    order, attempt = fill.order, fill.attempt
    analysis = order.decision.analysis
    moments = TradeMoments(
        seen_ms=ms_of(order.opportunity.created_at),
        analysed_ms=None if analysis is None else ms_of(analysis.created_at),
        decided_ms=ms_of(order.decision.created_at),
        signed_ms=ms_of(attempt.signed_at),
        sent_ms=None if attempt.broadcast_at is None else ms_of(attempt.broadcast_at),
        landed_ms=ms_of(fill.block_at),
        booked_ms=ms_of(fill.booked_at),
        landed_block=fill.block_number,
        first_liquidity_block=first_liquidity_block,
    )
    return ClockedTrade(
        order_id=order.pk,
        pair_id=order.pair_id,
        symbol=order.pair.base.symbol,
        trace_id=order.trace_id,
        chain_key=order.chain_key,
        moments=moments,
        stretches=stretches_ms(moments),
    )
