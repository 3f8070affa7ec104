"""Advanced orders looked at when their pools or the clock have moved, beside the exits; children are made once."""

from __future__ import annotations

import logging
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import timedelta

from django.db import IntegrityError, transaction
from django.db.models import Max
from django.utils import timezone

from apps.discovery.services.listings import listing_of
from apps.domain.engine import EngineStatus, EngineView
from apps.domain.errors import BadDataError
from apps.domain.events import EventKind
from apps.domain.ids import PairKey, trace_id_of
from apps.domain.market import BlockRef, FeeQuote, PoolReserves
from apps.intelligence.logic.record import estimates_from_json
from apps.intelligence.models import AnalysisRecord
from apps.state.services.config import ActiveConfig, active_config
from apps.state.services.engine import engine_view
from apps.state.services.events import event_record
from apps.trading.logic import pool
from apps.trading.logic.exit import ExitCase
from apps.trading.logic.exit_part import part_exit, part_inputs, sale_price
from apps.trading.logic.orders_advanced import PRICE_SCALE, Child, Moment, Plan, step
from apps.trading.models import AdvancedOrder, FillRecord, Opportunity, Order, Position
from apps.trading.services.advanced_orders import OPEN_MAX, advanced_end, plan_of, progress_of
from apps.trading.services.clock import ms_of
from apps.trading.services.decisions import decision_record
from apps.trading.services.entry_slices import is_being_left
from apps.trading.services.exits import position_facts
from apps.trading.services.orders import order_create
from apps.trading.services.ports import ExecutionPorts

logger = logging.getLogger(__name__)

#: A purchase that has come due is assessed afresh, and given up when it cannot be made by then; its leg tries again.
CHILD_TTL_S = 60
#: What a person asked for is looked at before what the engine found.
PRIORITY = 20_000
#: The column holds 78 digits.
_PRICE_MAX = 10**77
_ENDED = {
    "filled": ("done", "everything was traded"),
    "expired": ("cancelled", "its time was over"),
    "failed": ("failed", "its trades came to nothing again and again; the orders say why"),
}


@dataclass(frozen=True, slots=True, kw_only=True)
class AdvancedLook:
    """What came due: sales to carry out, and chances to evaluate for purchases."""

    order_ids: tuple[int, ...] = ()
    opportunity_ids: tuple[int, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class _View:
    """What is the same for all orders of one look."""

    ports: ExecutionPorts
    engine: EngineView
    active: ActiveConfig
    head: BlockRef
    reserves: Mapping[str, PoolReserves]
    fees: FeeQuote | None
    price: int | None
    now_ms: int


def advanced_evaluate(*, chain_key: str, ports: ExecutionPorts, head: BlockRef) -> AdvancedLook:
    """Look at a chain's open advanced orders and make the children that are due.

    Nothing happens while the engine lets no trades run, nor to orders of an older epoch. Raises NetworkError when the
    chain does not answer: nothing is made then.
    """
    engine = engine_view()
    if engine.status not in (EngineStatus.RUNNING, EngineStatus.PAUSED):
        return AdvancedLook()
    rows = list(
        AdvancedOrder.objects.filter(chain_key=chain_key, status="open", epoch=engine.epoch)
        .select_related("pair__base", "pair__quote", "position__opportunity")
        .order_by("id")[:OPEN_MAX]
    )
    if not rows:
        return AdvancedLook()
    pairs = {row.pair_id: row.pair for row in rows}
    view = _View(
        ports=ports,
        engine=engine,
        active=active_config(),
        head=head,
        reserves=ports.reader.reserves([listing_of(item) for item in pairs.values()]),
        fees=ports.reader.fees(),
        price=ports.reader.quote_price_usd_micros(),
        now_ms=ms_of(timezone.now()),
    )
    orders, chances = [], []
    for row in rows:
        try:
            if row.side == "sell":
                orders.append(_sale(row, view))
            elif engine.may_enter:
                chances.append(_purchase(row, view))
        except BadDataError:  # of one pair; the others go on
            logger.warning("advanced order cannot be judged", extra={"advanced": row.pk})
    return AdvancedLook(
        order_ids=tuple(item for item in orders if item is not None),
        opportunity_ids=tuple(item for item in chances if item is not None),
    )


# -- sales --------------------------------------------------------------------------------
def _sale(row: AdvancedOrder, view: _View) -> int | None:
    assert row.position_id is not None, row.pk
    position = Position.objects.select_related("pair__base", "pair__quote", "opportunity").get(
        pk=row.position_id
    )
    if position.status == "closed":
        advanced_end(advanced_id=row.pk, status="done", explanation="its position is closed")
        return None
    reserves = view.reserves.get(row.pair.pair_key)
    if position.status != "open" or reserves is None:
        return None
    facts = position_facts(position, profile=view.ports.profile, engine=view.engine)
    moment = Moment(
        now_ms=view.now_ms,
        price_of=lambda amount: sale_price(facts, reserves, amount),
        free_raw=facts.quantity_raw,
        highest=row.highest_price_raw,
        last_child_ms=None if row.last_child_at is None else ms_of(row.last_child_at),
    )
    child = _stepped(row, moment)
    rests = facts.next_exit_at_ms is not None and view.now_ms < facts.next_exit_at_ms
    if child is None or rests:
        return None
    case = ExitCase(
        position=facts,
        reserves=reserves,
        fees=view.fees,
        quote_price_usd_micros=view.price,
        head=view.head,
        config=view.active.config,
        config_revision=view.active.revision,
        now_ms=view.now_ms,
    )
    return _sell(row, position, case, child, epoch=view.engine.epoch)


def _stepped(row: AdvancedOrder, moment: Moment) -> Child | None:
    """Take the order's next step: keep what it has seen, end it, or return the child that is due."""
    plan = plan_of(row)
    found = step(plan, progress_of(row, plan), moment)
    if found.highest > row.highest_price_raw:
        highest = min(found.highest, _PRICE_MAX)
        AdvancedOrder.objects.filter(pk=row.pk, highest_price_raw__lt=highest).update(
            highest_price_raw=highest
        )
    if found.end and not (found.end == "filled" and _may_be_reversed(row, plan)):
        status, words = _ENDED[found.end]
        advanced_end(advanced_id=row.pk, status=status, explanation=words)
    return found.child


def _may_be_reversed(row: AdvancedOrder, plan: Plan) -> bool:
    """Tell whether a fill of this order can still be reorganised away: until then it stays open."""
    fills = FillRecord.objects.filter(is_final=False, reversed_at=None)
    if plan.side == "sell":
        return fills.filter(order__advanced=row).exists()
    return fills.filter(order__opportunity__advanced=row).exists()


def _claimed(row: AdvancedOrder, *, epoch: int) -> bool:
    """Take the right to make the next child, in the caller's transaction; False for the one who comes second."""
    taken = AdvancedOrder.objects.filter(pk=row.pk, status="open", epoch=epoch, children=row.children).update(
        children=row.children + 1, last_child_at=timezone.now(), updated_at=timezone.now()
    )
    return taken == 1


def _sell(row: AdvancedOrder, position: Position, case: ExitCase, child: Child, *, epoch: int) -> int | None:
    decision = part_exit(case, child)
    if decision.action != "exit":
        AdvancedOrder.objects.filter(pk=row.pk).exclude(explanation=decision.reasons[0].explanation).update(
            explanation=decision.reasons[0].explanation
        )
        return None
    try:
        with transaction.atomic():
            if not _claimed(row, epoch=epoch):
                return None
            record = decision_record(
                opportunity=position.opportunity,
                decision=decision,
                inputs=part_inputs(case, child),
                position=position,
            )
            order = order_create(
                decision=decision,
                record=record,
                wallet_key=position.wallet_key,
                chain_key=position.chain_key,
                epoch=epoch,
                config=case.config,
                position=position,
            )
            if not isinstance(order, Order):
                transaction.set_rollback(True)
                return None
            Order.objects.filter(pk=order.pk).update(advanced=row, advanced_leg=child.leg)
            return order.pk
    except IntegrityError:  # another watcher decided at the same moment
        return None


# -- purchases ----------------------------------------------------------------------------
def _purchase(row: AdvancedOrder, view: _View) -> int | None:
    if row.position is not None and row.position.status == "closed":
        advanced_end(advanced_id=row.pk, status="done", explanation="its position is closed")
        return None
    if row.source == "entry" and row.position is not None and is_being_left(row.position):
        advanced_end(advanced_id=row.pk, status="cancelled", explanation="its position is being sold")
        return None
    reserves = view.reserves.get(row.pair.pair_key)
    if reserves is None or reserves.base_raw == 0 or reserves.quote_raw == 0:
        return None
    fee_bps, tax_bps = row.pair.fee_bps, buy_tax_bps(row.pair_id)

    def price_of(amount_raw: int) -> int | None:
        out = pool.buy_out(reserves, fee_bps=fee_bps, amount_in_raw=amount_raw, tax_bps=tax_bps)
        return None if out == 0 else -(-amount_raw * PRICE_SCALE // out)

    plan = plan_of(row)
    moment = Moment(
        now_ms=view.now_ms,
        price_of=price_of,
        free_raw=plan.total_raw,  # what the wallet holds and the limits leave is asked where the size is made
        highest=row.highest_price_raw,
        last_child_ms=None if row.last_child_at is None else ms_of(row.last_child_at),
    )
    child = _stepped(row, moment)
    return None if child is None else _chance(row, child, epoch=view.engine.epoch)


def buy_tax_bps(pair_id: int) -> int:
    """Return the newest measured tax on buying, 0 where none was: the entry itself measures it again before it buys."""
    row = AnalysisRecord.objects.filter(pair_id=pair_id).order_by("-id").only("estimates").first()
    found = () if row is None else estimates_from_json(row.estimates)
    known = [item.value for item in found if item.code == "buy_tax_bps" and item.value is not None]
    return int(known[0]) if known else 0


def _chance(row: AdvancedOrder, child: Child, *, epoch: int) -> int | None:
    """Open a chance of its own for a purchase: it is assessed afresh and bought on the road, as every other."""
    now = timezone.now()
    try:
        with transaction.atomic():
            if not _claimed(row, epoch=epoch):
                return None
            last = Opportunity.objects.filter(pair_id=row.pair_id).aggregate(last=Max("number"))["last"]
            number = (last or 0) + 1
            chance = Opportunity.objects.create(
                trace_id=trace_id_of(PairKey(row.pair.pair_key), number),
                pair_id=row.pair_id,
                number=number,
                source="order",
                advanced=row,
                advanced_leg=child.leg,
                evaluate_after=now,
                priority=PRIORITY,
                give_up_at=now + timedelta(seconds=CHILD_TTL_S),
                created_at=now,
                updated_at=now,
            )
            event_record(
                kind=EventKind.OPPORTUNITY_FOUND,
                summary=f"Advanced order {row.pk} wants to buy",
                trace_id=chance.trace_id,
                subject=f"advanced:{row.pk}",
                payload={"leg": child.leg, "detail": child.detail},
            )
            return chance.pk
    except IntegrityError:  # another chance of this pair was opened at the same moment
        return None
