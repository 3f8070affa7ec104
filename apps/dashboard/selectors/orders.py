"""Orders as pages list them."""

from __future__ import annotations

from typing import Any

from django.core.paginator import Page, Paginator
from django.db.models import Count, Q, QuerySet

from apps.dashboard.asks import Ask
from apps.dashboard.selectors.chains import chain_labels
from apps.domain.order import FINAL_STATUSES, OrderStatus
from apps.trading.models import Order
from apps.trading.reading.orders import ATTEMPTS, OrderRow, order_detail, order_row, orders_loaded

__all__ = ["ATTEMPTS", "OrderRow", "order_detail", "order_row", "order_rows", "order_tabs", "trace_of_order"]

ROWS_PER_PAGE = 50
_ENDED = [status.value for status in FINAL_STATUSES]
_FAILED = [status.value for status in FINAL_STATUSES if status is not OrderStatus.FILLED]
#: Tab -> its word and what it holds.
TABS: dict[str, tuple[str, Q]] = {
    "": ("All", Q()),
    "active": ("On the way", ~Q(status__in=_ENDED)),
    "filled": ("Filled", Q(status=OrderStatus.FILLED.value)),
    "failed": ("Came to nothing", Q(status__in=_FAILED)),
}


def order_rows(ask: Ask) -> dict[str, Any]:
    """Return a page of orders, newest first."""
    orders = _filtered(ask).filter(TABS.get(ask.get("tab"), TABS[""])[1]).order_by("-id")
    page: Page[Order] = Paginator(orders_loaded(orders), ROWS_PER_PAGE).get_page(ask.page)
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


def trace_of_order(order_id: int) -> str:
    """Return an order's trace, "" when there is no such order."""
    return Order.objects.filter(pk=order_id).values_list("trace_id", flat=True).first() or ""


def _filtered(ask: Ask) -> QuerySet[Order]:
    orders = Order.objects.all()
    if ask.get("side") in ("buy", "sell"):
        orders = orders.filter(side=ask.get("side"))
    if ask.get("chain"):
        orders = orders.filter(chain_key=ask.get("chain"))
    return orders
