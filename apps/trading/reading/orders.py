"""Orders with the transactions that carried them, their fills and how their state changed."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from django.db.models import Prefetch, QuerySet

from apps.chains.labels import ChainLabel, chain_label, chain_labels
from apps.state.models import Event
from apps.trading.models import Order, TxAttempt

HISTORY_MAX = 100
#: Transactions without their signed bytes, which no page shows.
ATTEMPTS: Any = Prefetch("attempts", queryset=TxAttempt.objects.defer("payload"))


@dataclass(frozen=True, slots=True, kw_only=True)
class OrderRow:
    """An order with the words and decimals of what goes in and what comes out. ``took_ms``: created to its state now."""

    item: Order  # with its pair, tokens
    chain: ChainLabel
    in_decimals: int | None
    in_symbol: str
    out_decimals: int | None
    out_symbol: str
    filled_raw: int | None
    attempts: int
    took_ms: int


def order_detail(order_id: int) -> dict[str, Any] | None:
    """Return an order with its attempts, fills and state history, None when there is none."""
    item = orders_loaded(Order.objects.filter(pk=order_id)).select_related("decision", "position").first()
    if item is None:
        return None
    history = Event.objects.filter(subject=f"order:{order_id}").order_by("id")[:HISTORY_MAX]
    return {
        "row": order_row(item, chain_labels()),
        "attempts": list(item.attempts.all()),
        "fills": list(item.fills.all()),
        "history": list(history),
    }


def order_row(item: Order, labels: dict[str, ChainLabel]) -> OrderRow:
    """Return an order (loaded with its pair, tokens, fills and attempts) as its row shows it."""
    chain = chain_label(labels, item.chain_key)
    native: tuple[int | None, str] = (chain.native_decimals, chain.native_symbol)
    token: tuple[int | None, str] = (item.pair.base.decimals, item.pair.base.symbol)
    paid, got = (native, token) if item.side == "buy" else (token, native)
    fills = [fill.amount_out_raw for fill in item.fills.all() if fill.reversed_at is None]
    return OrderRow(
        item=item,
        chain=chain,
        in_decimals=paid[0],
        in_symbol=paid[1],
        out_decimals=got[0],
        out_symbol=got[1],
        filled_raw=sum(fills) if fills else None,
        attempts=len(item.attempts.all()),
        took_ms=int((item.status_at - item.created_at).total_seconds() * 1000),
    )


def orders_loaded(orders: QuerySet[Order]) -> QuerySet[Order]:
    """Return the orders with all that their rows are made of."""
    return orders.select_related("pair__base", "pair__quote").prefetch_related("fills", ATTEMPTS)
