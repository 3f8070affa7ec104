"""What an advanced order asks of the chance that was opened for it."""

from __future__ import annotations

from apps.domain.engine import EngineView
from apps.domain.money import raw_for_usd_micros, usd_to_micros
from apps.state.services.config import ActiveConfig
from apps.trading.logic.entry_case import EntryWish
from apps.trading.models import AdvancedOrder, Opportunity, Position
from apps.trading.services.advanced_orders import plan_of, progress_of


def entry_wish(
    opportunity: Opportunity, *, active: ActiveConfig, engine: EngineView, price: int | None, decimals: int
) -> tuple[EntryWish | None, Position | None]:
    """Return what was asked for and the position it adds to; None and None where nobody asked.

    ``price`` is that of one whole native coin of so many ``decimals``, in millionths of US dollars. An order that has ended, or is of an older
    epoch, gives a wish that refuses.
    """
    if opportunity.advanced_id is None:
        return None, None
    row = AdvancedOrder.objects.select_related("position", "pair").get(pk=opportunity.advanced_id)
    plan, position = plan_of(row), row.position
    leg = plan.legs[opportunity.advanced_leg or 0]
    progress = progress_of(row, plan)
    filled = sum(item.filled_raw for item in progress)
    amount = min(leg.amount_raw, max(plan.total_raw - filled, 0))
    if position is not None:
        amount = min(amount, _room_raw(position, active=active, price=price, decimals=decimals))
    refusal = ""
    if progress[leg.number].filled_raw:
        refusal = "This part of the order was bought already."
    elif row.status != "open":
        refusal = "The order that asked for it has ended."
    elif row.epoch != engine.epoch:
        refusal = "The engine was stopped or started since: the order waits until a person resumes it."
    elif position is not None and position.status != "open":
        refusal = "The position that was to be added to is not open."
    wish = EntryWish(
        amount_raw=amount,
        price_max=leg.price if leg.is_limit else None,
        accepted_rules=tuple(row.accepted_rules),
        refusal=refusal,
    )
    return wish, position


def _room_raw(position: Position, *, active: ActiveConfig, price: int | None, decimals: int) -> int:
    """Return what one position's highest cost leaves to be added, in the chain's own coin."""
    if not price:
        return 0
    left = usd_to_micros(active.config.limits.position_max_usd) - position.cost_usd_micros
    return raw_for_usd_micros(max(left, 0), decimals=decimals, price_usd_micros=price)
