"""Positions as pages list them."""

from __future__ import annotations

from typing import Any

from django.core.paginator import Page, Paginator
from django.db.models import Count, Q, Sum

from apps.dashboard.asks import Ask
from apps.dashboard.selectors.chains import chain_labels, chains_not_followed
from apps.trading.models import Position
from apps.trading.reading.positions import PositionRow, position_of, position_row

__all__ = ["PositionRow", "position_of", "position_row", "position_rows", "position_tabs"]

ROWS_PER_PAGE = 50


def position_rows(ask: Ask) -> dict[str, Any]:
    """Return a page of open or closed positions."""
    labels, silent = chain_labels(), chains_not_followed()
    positions = Position.objects.select_related("pair__base", "pair__quote")
    if ask.get("tab") == "closed":
        positions = positions.filter(status="closed").order_by("-closed_at", "-id")
    else:
        positions = positions.exclude(status="closed").order_by("-id")
    if ask.get("chain"):
        positions = positions.filter(chain_key=ask.get("chain"))
    page: Page[Position] = Paginator(positions, ROWS_PER_PAGE).get_page(ask.page)
    return {"page_obj": page, "rows": [position_row(item, labels, silent) for item in page.object_list]}


def position_tabs(_: Ask) -> dict[str, Any]:
    """Return how many positions are open and closed, and what the closed ones brought."""
    totals = Position.objects.aggregate(
        open=Count("pk", filter=~Q(status="closed")),
        closed=Count("pk", filter=Q(status="closed")),
        won=Count("pk", filter=Q(status="closed", realised_usd_micros__gt=0)),
        realised=Sum("realised_usd_micros", filter=Q(status="closed")),
        unbooked=Count("pk", filter=Q(status="closed", realised_usd_micros=None)),
    )
    tabs = [("", "Open", totals["open"]), ("closed", "Closed", totals["closed"])]
    return {"tabs": tabs, "totals": totals}
