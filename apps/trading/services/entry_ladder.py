"""The take-profit ladder that the configuration attaches to a new position, as an advanced order like any other."""

from __future__ import annotations

from apps.domain.config import ladder_steps
from apps.domain.errors import SniperError
from apps.domain.money import BPS_ONE
from apps.state.services.incidents import incident_from_error
from apps.trading.logic.orders_advanced import PRICE_SCALE, ladder
from apps.trading.models import Order, Position
from apps.trading.services.advanced_orders import advanced_place


def ladder_attach(*, position: Position, order: Order) -> None:
    """Place the ladder of a position that an entry has just opened, in the caller's transaction; once a position.

    The steps are those that were in force when the entry was decided, the prices are gains on what was really paid.
    """
    exits = order.decision.inputs["given"]["case"]["config"]["exits"]
    steps = ladder_steps(exits.get("take_profit_ladder", ""))
    if not steps or position.quantity_raw == 0:
        return
    paid = position.cost_raw * PRICE_SCALE // position.quantity_raw
    try:
        plan = ladder(
            total_raw=position.quantity_raw,
            steps=[(paid * (BPS_ONE + gain) // BPS_ONE, share) for gain, share in steps],
        )
        advanced_place(
            request_key=f"ladder:{position.trace_id}",
            kind="ladder",
            plan=plan,
            pair=position.pair,
            wallet_key=position.wallet_key,
            by="engine",
            position=position,
            epoch=order.epoch,
            source="entry",
        )
    except SniperError as error:  # a fill is booked whatever becomes of its ladder
        incident_from_error(error, dedup_key=f"ladder/{position.pk}", trace_id=position.trace_id)
