"""What failed transactions cost lately, in total and by token: each burns gas and brings nothing."""

from __future__ import annotations

from datetime import datetime, timedelta

from apps.discovery.models import Pair
from apps.domain.decision import Reason
from apps.domain.order import OrderStatus
from apps.trading.models import Order, TxAttempt
from apps.trading.services.clock import ms_of
from apps.trading.services.positions import native_worth

#: Failures of so long ago count.
FAILURES_WINDOW = timedelta(hours=1)
_FAILURES_MAX = 1_000
_FAILED = (OrderStatus.REVERTED.value, OrderStatus.DROPPED.value)


def token_refusal(*, pair: Pair, failures_max: int, now: datetime) -> Reason | None:
    """Return why no entry into this pair's token may be made after too many failed ones, None when it may."""
    failed = Order.objects.filter(
        pair__base_id=pair.base_id, side="buy", status__in=_FAILED, status_at__gt=now - FAILURES_WINDOW
    ).count()
    if failed < failures_max:
        return None
    return Reason(
        code="LIMIT_TOKEN_FAILURES",
        explanation="Too many purchases of this token have failed within the hour.",
        detail=f"failed={failed} maximum={failures_max}",
    )


def gas_burnt(*, now: datetime) -> tuple[tuple[int, int], ...]:
    """Return when each failed transaction of the last hour was seen and what its gas was worth, oldest first.

    In UTC milliseconds and millionths of US dollars, at the price its order was decided at; one of which that price is not
    known is left out.
    """
    rows = TxAttempt.objects.filter(status="reverted", seen_mined_at__gt=now - FAILURES_WINDOW)
    found: list[tuple[int, int]] = []
    for row in rows.select_related("order").order_by("seen_mined_at")[:_FAILURES_MAX]:
        worth = native_worth(row.order, row.fee_paid_raw or 0)
        if worth is not None and row.seen_mined_at is not None:
            found.append((ms_of(row.seen_mined_at), worth))
    return tuple(found)
