"""Positions: fills applied, figures derived from them, exits re-armed, the end booked."""

from __future__ import annotations

from datetime import datetime, timedelta
from decimal import ROUND_CEILING, Decimal

from django.db.models import Q
from django.utils import timezone

from apps.domain.config import Exits
from apps.domain.errors import Category, Recovery
from apps.domain.events import EventKind
from apps.domain.ids import ChainKey
from apps.domain.market import ChainProfile
from apps.domain.money import Token, raw_to_units
from apps.domain.order import Side
from apps.domain.position import ExitPlan, Fill
from apps.risk.services.budgets import budget_release
from apps.state.services.events import event_record
from apps.state.services.incidents import incident_open, incident_resolve
from apps.trading.logic import ledger
from apps.trading.logic.pnl import FillAmounts, PositionTotals, position_totals
from apps.trading.models import FillRecord, Lot, Order, Position, TxAttempt
from apps.trading.services.clock import moment_of
from apps.trading.services.entry_ladder import ladder_attach
from apps.trading.services.entry_slices import slices_attach
from apps.trading.services.ledger import entry_write, standing_key

#: After so many failed exits a person is asked; meanwhile the money counts as lost.
EXIT_ATTEMPTS_MAX = 6
_BACKOFF_FIRST_S, _BACKOFF_MAX_S = 2, 60
#: An exit that never reached the chain is tried again after this.
_RETRY_S = 2
#: The 64-bit column bounds what a worth may be.
USD_MICROS_MAX = 2**62


def fill_apply(*, order: Order, attempt: TxAttempt, fill: Fill, profile: ChainProfile) -> Position:
    """Book a fill in the caller's transaction: record, journal, lots, position, event. Repeatable: booked once."""
    entry_key, stands = standing_key(f"fill:{fill.fill_key}")
    if stands:
        return FillRecord.objects.select_related("position").get(fill_key=fill.fill_key).position
    now = timezone.now()
    position = _position_of(order, fill, now)
    side: Side = "buy" if order.side == "buy" else "sell"
    FillRecord.objects.update_or_create(
        fill_key=fill.fill_key,
        defaults={
            "order": order,
            "attempt": attempt,
            "position": position,
            "trace_id": order.trace_id,
            "side": side,
            "amount_in_raw": fill.amount_in.raw,
            "amount_out_raw": fill.amount_out.raw,
            "fee_native_raw": fill.fee_native.raw,
            "block_number": fill.block.number,
            "block_hash": fill.block.hash,
            "block_at": moment_of(fill.block.at_ms),
            "is_final": False,
            "reversed_at": None,
            "booked_at": now,
        },
    )
    entry_write(
        entry_key=entry_key,
        kind="fill",
        description=f"{side} in order {order.client_order_id}",
        postings=ledger.fill_postings(
            wallet_key=order.wallet_key,
            pair_key=order.pair.pair_key,
            amount_in=fill.amount_in,
            amount_out=fill.amount_out,
        ),
        at=now,
        trace_id=order.trace_id,
        usd_micros=_worth_of_fill(order, fill),
    )
    if side == "sell":
        reservation_return(position=position, amount_raw=order.amount_in_raw)
    held = position.quantity_raw
    position_rebuild(position=position, exit_order=order if side == "sell" else None)
    _high_water_follow(position, held)
    if side == "buy" and order.position_id is None:
        ladder_attach(position=position, order=order)
        slices_attach(position=position, order=order)
    _trade_event(order, position, fill)
    return position


def _high_water_follow(position: Position, held_raw: int) -> None:
    """Scale the highest value to what is held now: a part that was sold is no fall of the price."""
    if 0 < held_raw != position.quantity_raw > 0:
        position.high_water_raw = position.high_water_raw * position.quantity_raw // held_raw
        Position.objects.filter(pk=position.pk).update(high_water_raw=position.high_water_raw)


def _position_of(order: Order, fill: Fill, now: datetime) -> Position:
    if order.position_id is not None:
        return Position.objects.select_for_update().get(pk=order.position_id)
    position = Position.objects.select_for_update().filter(trace_id=order.trace_id).first()
    if position is not None:
        return position
    given = order.decision.inputs["given"]["case"]
    exits = Exits.model_validate(given["config"]["exits"])
    plan = ExitPlan(
        take_profit_bps=exits.take_profit_bps,
        stop_loss_bps=exits.stop_loss_bps,
        trailing_stop_bps=exits.trailing_stop_bps,
        trailing_activation_bps=exits.trailing_activation_bps,
        time_stop_ms=None if exits.time_stop_s is None else exits.time_stop_s * 1000,
        liquidity_drop_bps=exits.liquidity_drop_bps,
    )
    reserves = given["facts"]["reserves"]
    figures = {item["code"]: item["value"] for item in given["analysis"]["estimates"]}
    return Position.objects.create(
        trace_id=order.trace_id,
        opportunity_id=order.opportunity_id,
        pair_id=order.pair_id,
        wallet_key=order.wallet_key,
        chain_key=order.chain_key,
        exit_plan=plan_json(plan),
        entry_quote_reserve_raw=int(reserves["quote_raw"]),
        sell_tax_bps=_whole(figures.get("sell_tax_bps")),
        sell_gas=_whole(figures.get("sell_gas")),
        opened_at=moment_of(fill.block.at_ms),
    )


def plan_json(plan: ExitPlan) -> dict[str, int | None]:
    """Return an exit plan as the position keeps it."""
    return {name: getattr(plan, name) for name in ExitPlan.__slots__}


def _whole(value: str | None) -> int | None:
    """Return stored decimal text as an integer rounded up (taxes and gas count against us)."""
    return None if value is None else int(Decimal(value).to_integral_value(rounding=ROUND_CEILING))


def _worth_of_fill(order: Order, fill: Fill) -> int | None:
    """Return the fill's native side in US dollars at the price of its decision, None when that is unknown."""
    native = fill.amount_in.raw if order.side == "buy" else fill.amount_out.raw
    return native_worth(order, native)


def native_worth(order: Order, native_raw: int) -> int | None:
    """Return what native units are worth at the price an order was decided at, None when that is unknown."""
    decided_raw = order.amount_in_raw if order.side == "buy" else order.expected_out_raw
    if order.value_usd_micros is None or not decided_raw:
        return None
    worth = native_raw * order.value_usd_micros // decided_raw
    return max(min(worth, USD_MICROS_MAX), -USD_MICROS_MAX)


def totals_of(position: Position) -> PositionTotals:
    """Return a position's figures, derived from the fills that stand."""
    fills = FillRecord.objects.filter(position=position, reversed_at=None).order_by("block_number", "id")
    return position_totals(
        [
            FillAmounts(
                side="buy" if row.side == "buy" else "sell",
                amount_in_raw=row.amount_in_raw,
                amount_out_raw=row.amount_out_raw,
            )
            for row in fills
        ],
        found_raw=position.found_raw,
        lost_raw=position.lost_raw,
    )


def position_rebuild(*, position: Position, exit_order: Order | None = None) -> Position:
    """Derive a position's columns and lots anew from its standing fills, in the caller's transaction."""
    totals = totals_of(position)
    _lots_store(position, totals)
    entry = Order.objects.filter(opportunity_id=position.opportunity_id, side="buy").order_by("-id").first()
    position.quantity_raw = totals.quantity_raw
    position.cost_raw = totals.cost_raw
    position.proceeds_raw = totals.proceeds_raw
    position.realised_cost_raw = totals.realised_cost_raw
    position.fees_raw = fees_paid(position)
    if entry is not None:
        position.cost_usd_micros = native_worth(entry, totals.cost_raw) or 0
    if totals.quantity_raw == 0 and totals.cost_raw > 0:
        _close(position, exit_order=exit_order, entry=entry)
    elif totals.quantity_raw > 0 and position.status == "closed":  # its last sale was reorganised away
        position.status, position.closed_at, position.realised_usd_micros = "open", None, None
    position.save()
    return position


def _lots_store(position: Position, totals: PositionTotals) -> None:
    buys = list(
        FillRecord.objects.filter(position=position, side="buy", reversed_at=None).order_by(
            "block_number", "id"
        )
    )
    Lot.objects.filter(position=position).exclude(fill__in=buys).delete()
    for fill, lot in zip(buys, totals.lots, strict=False):  # a last lot may have come without a buy
        Lot.objects.update_or_create(
            fill=fill,
            defaults={
                "position": position,
                "quantity_raw": lot.quantity_raw,
                "remaining_raw": lot.remaining_raw,
                "cost_raw": lot.cost_raw,
            },
        )


def fees_paid(position: Position) -> int:
    """Return the gas of every transaction of this position's orders, native units."""
    orders = Q(order__position=position) | Q(order__opportunity_id=position.opportunity_id, order__side="buy")
    rows = TxAttempt.objects.filter(orders, status__in=("mined", "reverted")).values_list(
        "fee_paid_raw", flat=True
    )
    return sum(fee or 0 for fee in rows)


def _close(position: Position, *, exit_order: Order | None, entry: Order | None) -> None:
    """Book the end: realised result in native units and, at the last known price, in US dollars; free the budget."""
    position.status, position.closed_at = "closed", timezone.now()
    position.mark_value_raw, position.reserved_raw, position.next_exit_at = None, 0, None
    if exit_order is not None:
        position.exit_tag = exit_order.exit_tag
    result_raw = position.proceeds_raw - position.realised_cost_raw - position.fees_raw
    worth = native_worth(exit_order, result_raw) if exit_order is not None else None
    if worth is None and entry is not None:
        worth = native_worth(entry, result_raw)
    position.realised_usd_micros = worth
    if entry is not None:
        budget_release(client_order_id=entry.client_order_id, realised_usd_micros=worth or 0)
    _additions_release(position)
    incident_resolve(dedup_key=stuck_key(position))
    event_record(
        kind=EventKind.POSITION_CHANGED,
        summary=f"Position {position.pk} closed ({position.exit_tag or 'no exit'})",
        trace_id=position.trace_id,
        subject=f"position:{position.pk}",
        payload={"status": "closed", "result_raw": str(result_raw), "result_usd_micros": worth},
    )


def _additions_release(position: Position) -> None:
    """Free the budget of what was added to a position: its result is booked with the entry."""
    rows = Order.objects.filter(position=position, side="buy", status="filled")
    for client_order_id in rows.values_list("client_order_id", flat=True):
        budget_release(client_order_id=client_order_id, realised_usd_micros=0)


def position_void(*, opportunity_id: int) -> None:
    """Close a position whose only buy was reorganised away for good, in the caller's transaction."""
    Position.objects.filter(opportunity_id=opportunity_id, status="open", quantity_raw=0, cost_raw=0).update(
        status="closed", closed_at=timezone.now(), realised_usd_micros=0
    )


def reservation_return(*, position: Position, amount_raw: int) -> None:
    """Free a quantity that an exit order had reserved; changes the given row, which the caller has locked."""
    position.reserved_raw = max(position.reserved_raw - amount_raw, 0)
    Position.objects.filter(pk=position.pk).update(reserved_raw=position.reserved_raw)


def exit_rearm(*, order: Order, counts_as_failure: bool, why: str) -> None:
    """Let the exits of a position work again after an exit order came to nothing, in the caller's transaction."""
    assert order.position_id is not None, order.pk
    position = Position.objects.select_for_update().get(pk=order.position_id)
    reservation_return(position=position, amount_raw=order.amount_in_raw)
    if position.status == "closed":
        return
    if counts_as_failure:
        exit_failed(position=position, why=why)
    else:
        position.next_exit_at = timezone.now() + timedelta(seconds=_RETRY_S)
        position.save(update_fields=["next_exit_at"])


def exit_failed(*, position: Position, why: str) -> None:
    """Count a failed exit and rest; after the last one ask a person. The row is the caller's, locked."""
    position.exit_attempts += 1
    pause_s = min(_BACKOFF_FIRST_S * 2 ** (position.exit_attempts - 1), _BACKOFF_MAX_S)
    position.next_exit_at = timezone.now() + timedelta(seconds=pause_s)
    position.save(update_fields=["exit_attempts", "next_exit_at"])
    if position.exit_attempts >= EXIT_ATTEMPTS_MAX and position.status == "open":
        _stick(position, why)


def stuck_key(position: Position) -> str:
    """Return the key of the incident that tells of a stuck position."""
    return f"position/{position.pk}/stuck"


def _stick(position: Position, why: str) -> None:
    position.status, position.mark_value_raw = "stuck", 0  # what cannot be sold is worth nothing
    position.save(update_fields=["status", "mark_value_raw"])
    entry = Order.objects.filter(opportunity_id=position.opportunity_id, side="buy", status="filled").first()
    if entry is not None:
        # The money is as good as gone: it counts against today's loss, and its place is free for others.
        result = position.proceeds_raw - position.cost_raw - position.fees_raw
        budget_release(
            client_order_id=entry.client_order_id, realised_usd_micros=native_worth(entry, result) or 0
        )
        _additions_release(position)
    incident_open(
        code="POSITION_STUCK",
        category=Category.TRADING,
        recovery=Recovery.SKIP,
        severity="critical",
        title=f"Position {position.pk} cannot be sold",
        detail=f"{position.exit_attempts} exits came to nothing. The last one: {why}",
        remedy="Look at the pair's page. If the pool still has coins, raise execution.exit_slippage_max_bps and press"
        " 'Sell now' on the position; if it is drained, leave it: its cost is counted as today's loss already.",
        dedup_key=stuck_key(position),
        trace_id=position.trace_id,
        context={"position": position.pk},
    )
    event_record(
        kind=EventKind.POSITION_CHANGED,
        summary=f"Position {position.pk} is stuck: {why}",
        trace_id=position.trace_id,
        subject=f"position:{position.pk}",
        payload={"status": "stuck"},
    )


def exit_request(*, position_id: int, by: str) -> bool:
    """Ask for the sale of a position now, whatever its price; a stuck one gets new tries. False when it is closed."""
    changed = (
        Position.objects.filter(pk=position_id)
        .exclude(status="closed")
        .update(ordered_tag="force_exit", status="open", exit_attempts=0, next_exit_at=None)
    )
    if not changed:
        return False
    position = Position.objects.get(pk=position_id)
    event_record(
        kind=EventKind.POSITION_CHANGED,
        summary=f"Sale of position {position_id} was asked for",
        actor=by,
        trace_id=position.trace_id,
        subject=f"position:{position_id}",
        payload={"ordered": "force_exit"},
    )
    return True


def _trade_event(order: Order, position: Position, fill: Fill) -> None:
    native = fill.amount_in if order.side == "buy" else fill.amount_out
    base = fill.amount_out if order.side == "buy" else fill.amount_in
    verb = "Bought" if order.side == "buy" else "Sold"
    event_record(
        kind=EventKind.TRADE_EXECUTED,
        summary=f"{verb} {base.token.symbol or 'tokens'} for {raw_to_units(native.raw, native.token.decimals):.6f}"
        f" {native.token.symbol}",
        trace_id=order.trace_id,
        subject=f"position:{position.pk}",
        payload={
            "side": order.side,
            "order": order.pk,
            "pair": order.pair_id,
            "base_raw": str(base.raw),
            "native_raw": str(native.raw),
            "fee_raw": str(fill.fee_native.raw),
            "block": fill.block.number,
            "exit_tag": order.exit_tag,
        },
    )


def base_token(position_or_order: Position | Order) -> Token:
    """Return the base token of a row's pair as a domain type."""
    row = position_or_order.pair.base
    return Token(
        chain_key=ChainKey(row.chain_key), address=row.address, symbol=row.symbol, decimals=row.decimals or 0
    )
