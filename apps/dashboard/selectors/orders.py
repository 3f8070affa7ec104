"""Orders with the transactions that carried them, their fills and how their state changed."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from django.core.paginator import Page, Paginator
from django.db.models import Count, Prefetch, Q, QuerySet

from apps.dashboard.asks import Ask
from apps.dashboard.selectors.chains import ChainLabel, chain_label, chain_labels
from apps.domain.order import FINAL_STATUSES, OrderStatus
from apps.state.models import Event
from apps.trading.models import Order, TxAttempt

ROWS_PER_PAGE = 50
HISTORY_MAX = 100
#: Transactions without their signed bytes, which no page shows.
ATTEMPTS: Any = Prefetch("attempts", queryset=TxAttempt.objects.defer("payload"))
_ENDED = [status.value for status in FINAL_STATUSES]
_FAILED = [status.value for status in FINAL_STATUSES if status is not OrderStatus.FILLED]
#: Tab -> its word and what it holds.
TABS: dict[str, tuple[str, Q]] = {
    "": ("All", Q()),
    "active": ("On the way", ~Q(status__in=_ENDED)),
    "filled": ("Filled", Q(status=OrderStatus.FILLED.value)),
    "failed": ("Came to nothing", Q(status__in=_FAILED)),
}


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


def order_rows(ask: Ask) -> dict[str, Any]:
    """Return a page of orders, newest first."""
    orders = _filtered(ask).filter(TABS.get(ask.get("tab"), TABS[""])[1]).order_by("-id")
    page: Page[Order] = Paginator(_loaded(orders), ROWS_PER_PAGE).get_page(ask.page)
    labels = chain_labels()
    return {"page_obj": page, "rows": [order_row(item, labels) for item in page.object_list]}


def order_tabs(ask: Ask) -> dict[str, Any]:
    """Return how many orders stand in each tab."""
    counts = _filtered(ask).aggregate(
        **{
            name or "all": Count("pk", filter=held) if name else Count("pk")
            for name, (_, held) in TABS.items()
        }
    )
    return {"tabs": [(name, word, counts[name or "all"]) for name, (word, _) in TABS.items()]}


def order_detail(order_id: int) -> dict[str, Any] | None:
    """Return an order with its attempts, fills and state history, None when there is none."""
    item = _loaded(Order.objects.filter(pk=order_id)).select_related("decision", "position").first()
    if item is None:
        return None
    history = Event.objects.filter(subject=f"order:{order_id}").order_by("id")[:HISTORY_MAX]
    return {
        "row": order_row(item, chain_labels()),
        "attempts": list(item.attempts.all()),
        "fills": list(item.fills.all()),
        "history": list(history),
    }


def trace_of_order(order_id: int) -> str:
    """Return an order's trace, "" when there is no such order."""
    return Order.objects.filter(pk=order_id).values_list("trace_id", flat=True).first() or ""


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


def _filtered(ask: Ask) -> QuerySet[Order]:
    orders = Order.objects.all()
    if ask.get("side") in ("buy", "sell"):
        orders = orders.filter(side=ask.get("side"))
    if ask.get("chain"):
        orders = orders.filter(chain_key=ask.get("chain"))
    return orders


def _loaded(orders: QuerySet[Order]) -> QuerySet[Order]:
    return orders.select_related("pair__base", "pair__quote").prefetch_related("fills", ATTEMPTS)
