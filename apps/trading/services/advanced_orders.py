"""Advanced orders as rows: placed, amended, cancelled, resumed by people; one of an older epoch never acts by itself."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from typing import Any

from django.db import transaction
from django.utils import timezone
from pydantic import TypeAdapter

from apps.discovery.models import Pair
from apps.domain.errors import ConfigurationError, TransitionRefusedError
from apps.domain.events import EventKind
from apps.domain.order import FINAL_STATUSES, OrderStatus
from apps.state.services.engine import engine_view
from apps.state.services.events import event_record
from apps.trading.logic import orders_advanced
from apps.trading.logic.entry import NEVER_ACCEPTED
from apps.trading.logic.orders_advanced import Plan, Progress, checked
from apps.trading.models import AdvancedOrder, Opportunity, OpportunityStatus, Order, Position
from apps.trading.services.clock import ms_of

#: More open ones than any person follows.
OPEN_MAX = 500
#: After a failed child its leg rests so long, twice as long after each further one.
_REST_FIRST_MS, _REST_MAX_MS = 5_000, 900_000
_DOUBLINGS_MAX = 10
#: A purchase that only its limit price held back has not failed.
PRICE_CODES = frozenset({"LIMIT_PRICE_ABOVE"})
_TEXT_LENGTH = 300

_PLAN = TypeAdapter(Plan)


def plan_to_json(plan: Plan) -> dict[str, Any]:
    """Return a plan as the row keeps it: large numbers as text."""
    found: dict[str, Any] = _texts(_PLAN.dump_python(plan, mode="json"))
    return found


def _texts(value: Any) -> Any:
    if isinstance(value, dict):
        return {key: _texts(item) for key, item in value.items()}
    if isinstance(value, list):
        return [_texts(item) for item in value]
    return str(value) if type(value) is int else value


def plan_of(row: AdvancedOrder) -> Plan:
    """Return the row's plan."""
    return _PLAN.validate_python(row.plan)


def advanced_place(
    *,
    request_key: str,
    kind: str,
    plan: Plan,
    pair: Pair,
    wallet_key: str,
    by: str,
    position: Position | None = None,
    accepted_rules: Sequence[str] = (),
    epoch: int | None = None,
    source: str = "hand",
) -> AdvancedOrder:
    """Return the order of this request, placed now if there was none. Raises ConfigurationError in plain words.

    ``epoch`` None: the engine's present one. ``accepted_rules``: refusals that this person has seen and accepts.
    """
    checked(plan)
    never = sorted(NEVER_ACCEPTED.intersection(accepted_rules))
    if never:
        raise ConfigurationError(
            f"Nobody can overrule {', '.join(never)}.", remedy="Such a pair cannot be traded safely."
        )
    if plan.side == "sell" and position is None:
        raise ConfigurationError("A sale needs a position.", remedy="Open the position's page and try again.")
    now = timezone.now()
    with transaction.atomic():
        if position is not None:
            held = Position.objects.select_for_update().get(pk=position.pk)
            if held.status == "closed":
                raise ConfigurationError(
                    f"Position {held.pk} is closed already.", remedy="There is nothing to do."
                )
            if plan.side == "sell" and plan.total_raw > held.quantity_raw:
                raise ConfigurationError(
                    "The order would sell more than is held.", remedy="Give a smaller amount."
                )
        if AdvancedOrder.objects.filter(status="open").count() >= OPEN_MAX:
            raise ConfigurationError(
                f"{OPEN_MAX} advanced orders are open already.", remedy="Cancel some that are not needed."
            )
        row, created = AdvancedOrder.objects.get_or_create(
            request_key=request_key,
            defaults={
                "kind": kind,
                "side": plan.side,
                "pair": pair,
                "position": position,
                "chain_key": pair.chain_key,
                "wallet_key": wallet_key,
                "plan": plan_to_json(plan),
                "accepted_rules": sorted(accepted_rules),
                "epoch": engine_view().epoch if epoch is None else epoch,
                "source": source,
                "created_by": by,
                "created_at": now,
                "updated_at": now,
            },
        )
        if created:
            _event(row, f"{kind} order to {plan.side} was placed", by=by)
    return row


def _event(row: AdvancedOrder, summary: str, *, by: str) -> None:
    event_record(
        kind=EventKind.ORDER_CHANGED,
        summary=f"Advanced order {row.pk}: {summary}"[:_TEXT_LENGTH],
        actor=by,
        trace_id="" if row.position is None else row.position.trace_id,
        subject=f"advanced:{row.pk}",
        payload={"kind": row.kind, "side": row.side, "status": row.status},
    )


def advanced_cancel(*, advanced_id: int, by: str, reason: str = "") -> bool:
    """Cancel an open order; False when it had ended. A child that is on its way is not called back, but none follows."""
    return advanced_end(advanced_id=advanced_id, status="cancelled", explanation=reason or f"by {by}", by=by)


def advanced_end(*, advanced_id: int, status: str, explanation: str, by: str = "engine") -> bool:
    """End an open order; False for the one who comes second. A child purchase that still waits ends with it."""
    now = timezone.now()
    with transaction.atomic():
        changed = AdvancedOrder.objects.filter(pk=advanced_id, status="open").update(
            status=status, explanation=explanation[:_TEXT_LENGTH], updated_at=now
        )
        if not changed:
            return False
        Opportunity.objects.filter(advanced_id=advanced_id, status=OpportunityStatus.WAITING).update(
            status=OpportunityStatus.REFUSED, skip_code="ORDER_ENDED", updated_at=now
        )
        row = AdvancedOrder.objects.select_related("position").get(pk=advanced_id)
        _event(row, f"{status}: {explanation}", by=by)
    return True


def advanced_amend(
    *, advanced_id: int, leg: int, by: str, price: int | None = None, trail_bps: int | None = None
) -> AdvancedOrder:
    """Change one leg's price or trail. Raises ConfigurationError, TransitionRefusedError when it has ended."""
    with transaction.atomic():
        row = AdvancedOrder.objects.select_for_update().get(pk=advanced_id)
        if row.status != "open":
            raise TransitionRefusedError("This order has ended.", remedy="Place a new one.")
        plan = orders_advanced.amended(plan_of(row), leg, price=price, trail_bps=trail_bps)
        row.plan, row.updated_at = plan_to_json(plan), timezone.now()
        row.save(update_fields=["plan", "updated_at"])
        _event(row, f"part {leg + 1} was changed", by=by)
    return row


def advanced_resume(*, advanced_id: int, by: str) -> bool:
    """Let an order of an older epoch act again; False when it has ended or acts already."""
    epoch = engine_view().epoch
    with transaction.atomic():
        changed = (
            AdvancedOrder.objects.filter(pk=advanced_id, status="open")
            .exclude(epoch=epoch)
            .update(epoch=epoch, updated_at=timezone.now())
        )
        if changed:
            row = AdvancedOrder.objects.select_related("position").get(pk=advanced_id)
            _event(row, f"resumed in epoch {epoch}", by=by)
    return bool(changed)


# -- what became of the children ----------------------------------------------------------
def progress_of(row: AdvancedOrder, plan: Plan) -> list[Progress]:
    """Return what became of each leg's children, from their rows alone: one query for sales, two for purchases."""
    if row.side == "sell":
        sales: dict[int | None, list[Order]] = defaultdict(list)
        for order in row.orders.order_by("id"):
            sales[order.advanced_leg].append(order)
        return [_told(sales[leg.number], counts=True) for leg in plan.legs]
    chances: dict[int | None, list[Opportunity]] = defaultdict(list)
    for chance in row.opportunities.order_by("id").prefetch_related("orders"):
        chances[chance.advanced_leg].append(chance)
    return [_purchase_told(chances[leg.number], leg.amount_raw) for leg in plan.legs]


def _purchase_told(chances: Sequence[Opportunity], amount_raw: int) -> Progress:
    found = _told([order for chance in chances for order in chance.orders.all()], counts=False)
    waiting = any(
        item.status in (OpportunityStatus.WAITING, OpportunityStatus.EVALUATING) for item in chances
    )
    over = [
        item
        for item in chances
        if item.status
        in (OpportunityStatus.REFUSED, OpportunityStatus.EXPIRED, OpportunityStatus.QUARANTINED)
    ]
    failed = [item for item in over if item.skip_code not in PRICE_CODES]
    rests = max((ms_of(item.updated_at) + _rest_ms(len(failed)) for item in over), default=0)
    return Progress(
        filled_raw=found.filled_raw,
        in_flight_raw=found.in_flight_raw or (amount_raw if waiting and not found.filled_raw else 0),
        failures=len(failed),
        rests_until_ms=rests,
    )


def _told(orders: Sequence[Order], *, counts: bool) -> Progress:
    """``counts``: an order that came to nothing is a failure of its leg; a purchase's chance tries again by itself."""
    filled = in_flight = failures = rests = 0
    for order in orders:
        status = OrderStatus(order.status)
        if status is OrderStatus.FILLED:
            filled += order.amount_in_raw
        elif status not in FINAL_STATUSES:
            in_flight += order.amount_in_raw
        elif counts:
            failures += status in (OrderStatus.REVERTED, OrderStatus.DROPPED, OrderStatus.DENIED)
            rests = max(rests, ms_of(order.status_at) + _rest_ms(failures))
    return Progress(filled_raw=filled, in_flight_raw=in_flight, failures=failures, rests_until_ms=rests)


def _rest_ms(failures: int) -> int:
    return min(_REST_FIRST_MS << min(max(failures - 1, 0), _DOUBLINGS_MAX), _REST_MAX_MS)
