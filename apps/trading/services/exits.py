"""Exits: every open position marked and judged when its pool or the clock has moved."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import datetime, timedelta

from django.db import IntegrityError, transaction
from django.utils import timezone

from apps.discovery.services.listings import listing_of
from apps.domain.decision import ExitTag, TradeDecision
from apps.domain.engine import EngineStatus, EngineView
from apps.domain.estimate import Estimate
from apps.domain.ids import PairKey, TraceId
from apps.domain.market import BlockRef, ChainProfile, FeeQuote, PoolReserves
from apps.domain.position import ExitPlan
from apps.intelligence.logic.record import estimates_from_json
from apps.risk.models import GuardWatch
from apps.state.services.config import ActiveConfig, active_config
from apps.state.services.engine import engine_view
from apps.trading.logic import plan
from apps.trading.logic.core import step_exit
from apps.trading.logic.exit import ExitCase, PositionFacts, sale_value
from apps.trading.logic.record import exit_inputs
from apps.trading.models import Order, Position
from apps.trading.services.clock import ms_of
from apps.trading.services.decisions import decision_record
from apps.trading.services.orders import order_create
from apps.trading.services.ports import ExecutionPorts
from apps.trading.services.positions import base_token, exit_failed

#: Far above any limit on open positions.
POSITIONS_MAX = 1_000


#: What is known now of a position's pair and of its market.
HoldingEstimates = Callable[[Position], tuple[Estimate, ...]]
#: What the guard's simulations found of a position draws its exits in for so long.
ESTIMATES_KEPT = timedelta(minutes=15)


def exits_evaluate(
    *,
    chain_key: str,
    ports: ExecutionPorts,
    head: BlockRef,
    estimates_of: HoldingEstimates | None = None,
) -> tuple[int, ...]:
    """Read the pools of a chain's open positions, mark these and create the exits that are due; return their orders.

    ``estimates_of`` says what is known of each position's pair; by itself what the guard's newest simulation has kept.
    Raises NetworkError when the chain does not answer: nothing is marked or created then.
    """
    listings = [listing_of(item.pair) for item in _open_positions(chain_key)]
    if not listings:
        return ()
    return positions_judge(
        profile=ports.profile,
        reserves=ports.reader.reserves(listings),
        head=head,
        fees=ports.reader.fees(),
        quote_price_usd_micros=ports.reader.quote_price_usd_micros(),
        active=active_config(),
        engine=engine_view(),
        estimates_of=estimates_of,
    )


def _open_positions(chain_key: str) -> list[Position]:
    rows = Position.objects.filter(chain_key=chain_key, status="open").select_related(
        "pair__base", "pair__quote", "opportunity"
    )
    return [item for item in rows.order_by("id")[:POSITIONS_MAX] if item.quantity_raw > 0]


def positions_judge(
    *,
    profile: ChainProfile,
    reserves: Mapping[str, PoolReserves],
    head: BlockRef,
    fees: FeeQuote | None,
    quote_price_usd_micros: int | None,
    active: ActiveConfig,
    engine: EngineView,
    estimates_of: HoldingEstimates | None = None,
) -> tuple[int, ...]:
    """Mark all open positions of a chain and create the exit orders that are due; return the orders' ids.

    A position whose pool is not among ``reserves`` has no fresh price: its mark is unknown, and it is held.
    """
    now = timezone.now()
    estimates_of = estimates_of or _kept_estimates(profile.chain_key, now)
    judged: list[tuple[Position, ExitCase]] = []
    for position in _open_positions(profile.chain_key):
        pool = reserves.get(position.pair.pair_key)
        facts = position_facts(position, profile=profile, engine=engine)
        case = ExitCase(
            position=facts,
            reserves=pool,
            fees=fees,
            quote_price_usd_micros=quote_price_usd_micros,
            head=head,
            config=active.config,
            config_revision=active.revision,
            now_ms=ms_of(now),
            estimates=tuple(item for item in estimates_of(position) if item.code in plan.CODES),
        )
        judged.append((position, case))
    with transaction.atomic():  # one commit for all marks of a block
        for position, case in judged:
            _mark(position, case.position, case.reserves, fees=fees, now=now)
    if not engine.may_exit:
        return ()
    order_ids = [_exit(position, case, engine=engine) for position, case in judged]
    return tuple(order_id for order_id in order_ids if order_id is not None)


def _kept_estimates(chain_key: str, now: datetime) -> HoldingEstimates:
    """Return what the guard kept of each position of a chain; nothing of one that it has not looked at lately."""
    rows = GuardWatch.objects.filter(chain_key=chain_key, estimates_at__gte=now - ESTIMATES_KEPT)
    kept = {
        trace_id: estimates_from_json(found) for trace_id, found in rows.values_list("trace_id", "estimates")
    }
    return lambda position: kept.get(position.trace_id, ())


def position_facts(position: Position, *, profile: ChainProfile, engine: EngineView) -> PositionFacts:
    """Return a position's row as its exits see it: what is free to sell, with its part of cost and highest value."""
    held = position.quantity_raw
    free = max(held - position.reserved_raw, 0)
    cost, high = position.cost_raw - position.realised_cost_raw, position.high_water_raw
    if 0 < free < held:  # a part is being sold: the rest is judged by its own cost
        cost, high = cost * free // held, high * free // held
    return PositionFacts(
        trace_id=TraceId(position.trace_id),
        pair_key=PairKey(position.pair.pair_key),
        base=base_token(position),
        native=profile.native,
        fee_bps=position.pair.fee_bps,
        quantity_raw=free,
        cost_raw=cost,
        opened_at_ms=ms_of(position.opened_at),
        plan=ExitPlan(**position.exit_plan),
        high_water_raw=high,
        entry_quote_reserve_raw=position.entry_quote_reserve_raw,
        sell_tax_bps=position.sell_tax_bps,
        sell_gas=position.sell_gas,
        failed_exits=position.exit_attempts,
        next_exit_at_ms=None if position.next_exit_at is None else ms_of(position.next_exit_at),
        ordered_tag=_ordered_tag(position, engine),
    )


def _ordered_tag(position: Position, engine: EngineView) -> ExitTag | None:
    if engine.status is EngineStatus.CLOSING:
        return "kill_close"
    return "force_exit" if position.ordered_tag == "force_exit" else None


def _mark(
    position: Position,
    facts: PositionFacts,
    pool: PoolReserves | None,
    *,
    fees: FeeQuote | None,
    now: datetime,
) -> None:
    """Keep what selling would bring now and the highest seen, when either has changed."""
    if facts.quantity_raw < position.quantity_raw:  # a part is being sold: its mark would mislead
        return
    row = Position.objects.filter(pk=position.pk).exclude(status="closed")
    if pool is None:
        if position.mark_value_raw is not None:
            row.update(mark_value_raw=None)
        return
    value = sale_value(facts, pool, fees).net_raw
    if value == position.mark_value_raw and value <= position.high_water_raw:
        return
    row.update(
        mark_value_raw=value,
        high_water_raw=max(position.high_water_raw, value),
        mark_block_number=pool.block.number,
        marked_at=now,
    )


def _exit(position: Position, case: ExitCase, *, engine: EngineView) -> int | None:
    decision = step_exit(
        position=case.position,
        reserves=case.reserves,
        fees=case.fees,
        quote_price_usd_micros=case.quote_price_usd_micros,
        head=case.head,
        config=case.config,
        config_revision=case.config_revision,
        now_ms=case.now_ms,
        estimates=case.estimates,
    )
    if decision.action == "exit":
        return _order(position, case, decision, epoch=engine.epoch)
    if decision.reasons[0].code == "EXIT_NOT_WORTH_GAS":
        with transaction.atomic():
            row = Position.objects.select_for_update().get(pk=position.pk)
            if row.status == "open" and row.exit_attempts == position.exit_attempts:
                exit_failed(position=row, why=decision.reasons[0].explanation)
    return None


def _order(position: Position, case: ExitCase, decision: TradeDecision, *, epoch: int) -> int | None:
    try:
        with transaction.atomic():
            record = decision_record(
                opportunity=position.opportunity,
                decision=decision,
                inputs=exit_inputs(case),
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
            return order.pk
    except IntegrityError:  # another watcher decided at the same moment
        return None
