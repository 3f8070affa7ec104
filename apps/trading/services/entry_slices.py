"""The further parts of an entry that is bought over blocks, as a TWAP order like any other."""

from __future__ import annotations

from dataclasses import replace

from django.utils import timezone

from apps.domain.errors import SniperError
from apps.state.services.incidents import incident_from_error
from apps.trading.logic.orders_advanced import by_clock
from apps.trading.logic.record import decision_from_inputs
from apps.trading.models import Order, Position
from apps.trading.services.advanced_orders import advanced_place
from apps.trading.services.clock import ms_of

_CODE = "SPLIT_OVER_BLOCKS"
#: What could not be bought by so long after its last part's time is left: the chance was then.
_GRACE_MS = 60_000


def slices_attach(*, position: Position, order: Order) -> None:
    """Place what follows the first part of an entry, in the caller's transaction; once a position.

    How much, how often and how dear at most was decided with the first part and stands in its record.
    """
    if not any(item["code"] == _CODE for item in order.decision.adjustments):
        return
    further = decision_from_inputs(order.decision.inputs).further
    if further is None or position.quantity_raw == 0:
        return
    first_at_ms = ms_of(timezone.now()) + further.interval_ms
    try:
        plan = by_clock(
            side="buy",
            total_raw=further.total_raw,
            slices=further.slices,
            first_at_ms=first_at_ms,
            interval_ms=further.interval_ms,
            price_limit=further.price_max,
        )
        ends_at_ms = first_at_ms + further.slices * further.interval_ms + _GRACE_MS
        advanced_place(
            request_key=f"slices:{position.trace_id}",
            kind="twap",
            plan=replace(plan, expires_at_ms=ends_at_ms),
            pair=position.pair,
            wallet_key=position.wallet_key,
            by="engine",
            position=position,
            epoch=order.epoch,
            source="entry",
        )
    except SniperError as error:  # a fill is booked whatever becomes of what follows
        incident_from_error(error, dedup_key=f"slices/{position.pk}", trace_id=position.trace_id)


def is_being_left(position: Position) -> bool:
    """Tell whether the position is sold, was asked to be, or has been in part: then no further part of it is bought."""
    if position.reserved_raw > 0 or position.ordered_tag:
        return True
    return Order.objects.filter(position=position, side="sell").exists()
