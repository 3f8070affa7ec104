"""Orders: created with their funds held, moved only along the table, their funds freed at the end."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import timedelta
from typing import Any

from django.db import IntegrityError, transaction
from django.utils import timezone

from apps.domain.config import TradingConfig
from apps.domain.decision import Reason, TradeDecision
from apps.domain.events import EventKind
from apps.domain.ids import ClientOrderId, PairKey, TraceId, WalletKey, client_order_id_of
from apps.domain.market import ChainProfile
from apps.domain.money import Amount
from apps.domain.order import FINAL_STATUSES, IN_FLIGHT_STATUSES, OrderIntent, OrderStatus, is_allowed
from apps.risk.services.budgets import LEG_ADD, budget_release, budget_reserve
from apps.state.services.events import event_record
from apps.trading.logic.route import FURTHER_HOP_GAS
from apps.trading.models import ENTRY_HOLDING, DecisionRecord, Order, Position, TxAttempt
from apps.trading.services.clock import ms_of
from apps.trading.services.entry_slices import is_being_left
from apps.trading.services.failures import token_refusal
from apps.trading.services.opportunities import opportunity_reopen
from apps.trading.services.positions import base_token, exit_rearm, native_worth, position_void
from apps.wallets.services.spends import spend_reserve, spend_settle

#: After so many entries that the chain turned down a pair is left alone: each costs gas.
ENTRIES_REVERTED_MAX = 3
#: After a first one the rush that moved the price is waited out, after a second one twice as long.
REST_AFTER_REVERT_S = 8
#: An entry that was given up before it was signed cost nothing; the pause doubles with each, up to that of a revert.
REST_AFTER_CANCEL_S, REST_DOUBLINGS_MAX = 1, 3
_REASON_LENGTH = 300
#: These tell of a try that the market or the chain turned down, so an exit rests before the next one.
_FAILURES = frozenset({OrderStatus.REVERTED, OrderStatus.DROPPED, OrderStatus.DENIED})


def order_create(
    *,
    decision: TradeDecision,
    record: DecisionRecord,
    wallet_key: str,
    chain_key: str,
    epoch: int,
    config: TradingConfig,
    position: Position | None = None,
    added_to: Position | None = None,
) -> Order | Reason:
    """Return the order of this decision, its budget or quantity reserved; a Reason when a limit refuses.

    ``position``: the one that an exit sells; ``added_to``: the open one that an entry adds to.
    Idempotent: the same decision gives the same order. Everything happens in one transaction.
    """
    assert decision.action in ("enter", "exit"), decision.action
    leg = "exit" if decision.action == "exit" else "entry" if added_to is None else LEG_ADD
    client_order_id = client_order_id_of(decision.trace_id, record.number, leg)
    existing = Order.objects.filter(client_order_id=client_order_id).first()
    if existing is not None:
        return existing
    try:
        with transaction.atomic():
            # The position is locked before the budget, as where one is closed: neither waits for the other.
            refused = (
                _closed(added_to, record)
                or _failing(record, config, position)
                or _reserve(decision, client_order_id, wallet_key, config, position)
            )
            if refused is not None:
                return refused
            return _insert(
                decision, record, client_order_id, wallet_key, chain_key, epoch, config, position or added_to
            )
    except IntegrityError:
        existing = Order.objects.filter(client_order_id=client_order_id).first()
        if existing is not None:  # another worker was quicker
            return existing
        return Reason(
            code="ENTRY_UNDER_WAY", explanation="An entry of this opportunity is under way or done already."
        )


def _reserve(
    decision: TradeDecision,
    client_order_id: str,
    wallet_key: str,
    config: TradingConfig,
    position: Position | None,
) -> Reason | None:
    if position is None:
        assert decision.value_usd_micros is not None
        now, usd_micros = timezone.now(), decision.value_usd_micros
        refused = spend_reserve(
            wallet_key=wallet_key, client_order_id=client_order_id, usd_micros=usd_micros, now=now
        )
        if refused is None:
            refused = budget_reserve(
                client_order_id=client_order_id, usd_micros=usd_micros, limits=config.limits, now=now
            )
            if refused is not None:
                spend_settle(client_order_id=client_order_id, counts=False)
        return refused
    assert decision.amount_in is not None
    row = Position.objects.select_for_update().get(pk=position.pk)
    free = row.quantity_raw - row.reserved_raw
    if row.status == "closed" or decision.amount_in.raw > free:
        return Reason(
            code="EXIT_UNDER_WAY",
            explanation="Other exits have reserved what this one would sell.",
            detail=f"wanted={decision.amount_in.raw} free={free}",
        )
    row.reserved_raw += decision.amount_in.raw
    row.save(update_fields=["reserved_raw"])
    return None


def _failing(record: DecisionRecord, config: TradingConfig, position: Position | None) -> Reason | None:
    """Return a refusal when purchases of this token failed too often lately; sales go on."""
    if position is not None:
        return None
    failures_max = config.breakers.token_failures_max
    return token_refusal(pair=record.opportunity.pair, failures_max=failures_max, now=timezone.now())


def _closed(added_to: Position | None, record: DecisionRecord) -> Reason | None:
    """Return a refusal when the position that is added to is not open any more, or is sold while its entry goes on."""
    if added_to is None:
        return None
    held = Position.objects.select_for_update().get(pk=added_to.pk)
    if held.status != "open":
        return Reason(code="POSITION_CLOSED", explanation="The position that was to be added to is not open.")
    advanced = record.opportunity.advanced
    if advanced is not None and advanced.source == "entry" and is_being_left(held):
        return Reason(code="POSITION_LEFT", explanation="The position that was to be added to is being sold.")
    return None


def _insert(
    decision: TradeDecision,
    record: DecisionRecord,
    client_order_id: str,
    wallet_key: str,
    chain_key: str,
    epoch: int,
    config: TradingConfig,
    position: Position | None,
) -> Order:
    assert decision.amount_in is not None
    assert decision.amount_out_min is not None
    assert decision.expected_out is not None
    now = timezone.now()
    order = Order.objects.create(
        client_order_id=client_order_id,
        trace_id=decision.trace_id,
        opportunity_id=record.opportunity_id,
        decision=record,
        position=position,
        pair_id=record.opportunity.pair_id,
        chain_key=chain_key,
        wallet_key=wallet_key,
        side="buy" if decision.action == "enter" else "sell",
        amount_in_raw=decision.amount_in.raw,
        amount_out_min_raw=decision.amount_out_min.raw,
        expected_out_raw=decision.expected_out.raw,
        value_usd_micros=decision.value_usd_micros,
        fee_cap_raw=decision.fee_cap_raw,
        gas_limit=decision.gas_limit,
        epoch=epoch,
        exit_tag=decision.exit_tag or "",
        expires_at=now + timedelta(seconds=config.execution.order_ttl_s),
        created_at=now,
        status_at=now,
    )
    event_record(
        kind=EventKind.ORDER_CHANGED,
        summary=f"Order {order.pk} to {order.side} was created",
        trace_id=order.trace_id,
        subject=f"order:{order.pk}",
        payload={"status": OrderStatus.CREATED.value, "side": order.side, "exit_tag": order.exit_tag},
    )
    return order


def order_transition(
    *, order_id: int, before: OrderStatus, after: OrderStatus, reason: str = "", **changes: Any
) -> bool:
    """Move an order from ``before`` to ``after``; False for the one who comes second.

    An order that ends without a fill frees its budget or quantity in the same transaction.
    """
    assert is_allowed(before, after), (before, after)
    now = timezone.now()
    if reason:
        changes["reason"] = reason[:_REASON_LENGTH]
    with transaction.atomic():
        gave_way = before in FINAL_STATUSES and before is not OrderStatus.FILLED
        if gave_way and _has_other_entry(order_id):  # it may be mined after all, beside its successor
            changes["is_extra"] = True
        moved = Order.objects.filter(pk=order_id, status=before.value, **_guards(changes)).update(
            status=after.value, status_at=now, **changes
        )
        if not moved:
            return False
        order = Order.objects.select_related("pair").get(pk=order_id)
        event_record(
            kind=EventKind.ORDER_CHANGED,
            summary=f"Order {order_id} to {order.side}: {before.value} → {after.value}"
            + (f" ({reason})" if reason else ""),
            trace_id=order.trace_id,
            subject=f"order:{order_id}",
            payload={"before": before.value, "status": after.value, "reason": reason[:_REASON_LENGTH]},
        )
        comes_to_nothing = after in FINAL_STATUSES and after is not OrderStatus.FILLED
        # What may yet be mined counts, from its creation on: only an end and its taking back change that.
        if order.side == "buy" and (comes_to_nothing or before in FINAL_STATUSES):
            spend_settle(client_order_id=order.client_order_id, counts=not comes_to_nothing)
        if comes_to_nothing:
            _ended(order, after, reason)
    return True


def _guards(changes: dict[str, Any]) -> dict[str, Any]:
    """Take the conditions out of ``changes``: what begins with ``if_`` must still be so for the move to happen."""
    return {name.removeprefix("if_"): changes.pop(name) for name in list(changes) if name.startswith("if_")}


def _has_other_entry(order_id: int) -> bool:
    """Tell whether another entry has this one's opportunity; of a sale there is none."""
    order = Order.objects.only("opportunity_id", "side").get(pk=order_id)
    if order.side == "sell":
        return False
    others = Order.objects.filter(
        opportunity_id=order.opportunity_id, side="buy", status__in=ENTRY_HOLDING
    ).exclude(pk=order_id)
    return others.exists()


def _ended(order: Order, after: OrderStatus, reason: str) -> None:
    why = reason or f"its order was {after.value}"
    if order.side == "sell":
        exit_rearm(order=order, counts_as_failure=after in _FAILURES, why=why)
        return
    fees = TxAttempt.objects.filter(order=order, status__in=("mined", "reverted")).values_list(
        "fee_paid_raw", flat=True
    )
    lost = native_worth(order, sum(fee or 0 for fee in fees))
    budget_release(client_order_id=order.client_order_id, realised_usd_micros=-(lost or 0))
    if _has_other_entry(order.pk):
        return
    position_void(opportunity_id=order.opportunity_id)
    entries = Order.objects.filter(opportunity_id=order.opportunity_id, side="buy")
    reverted = entries.filter(status=OrderStatus.REVERTED.value).count()
    rest_s = REST_AFTER_REVERT_S * reverted
    if after is OrderStatus.CANCELLED:  # nothing was sent: the price of the next block may suit us
        cancelled = entries.filter(status=OrderStatus.CANCELLED.value).count()
        rest_s = min(REST_AFTER_CANCEL_S << min(cancelled - 1, REST_DOUBLINGS_MAX), REST_AFTER_REVERT_S)
    opportunity_reopen(
        opportunity_id=order.opportunity_id,
        code=f"ORDER_{after.name}",
        explanation=f"The entry came to nothing: {why}.",
        may_retry=after is not OrderStatus.DENIED and reverted < ENTRIES_REVERTED_MAX,
        rest_s=rest_s,
    )


def order_advance(*, order: Order, after: OrderStatus, reason: str = "", **changes: Any) -> bool:
    """Move an order to ``after``, by way of UNKNOWN where the table has no direct way."""
    before = OrderStatus(order.status)
    if before is after:
        return False
    with transaction.atomic():
        if not is_allowed(before, after):
            if not order_transition(
                order_id=order.pk, before=before, after=OrderStatus.UNKNOWN, reason=reason
            ):
                return False
            before = OrderStatus.UNKNOWN
            if after is OrderStatus.UNKNOWN:
                return True
        return order_transition(order_id=order.pk, before=before, after=after, reason=reason, **changes)


def intent_of(order: Order, profile: ChainProfile, *, way: Mapping[str, Any] | None = None) -> OrderIntent:
    """Return the swap that an order asks for, by its own way unless another is given (empty: through its pair)."""
    base, buys = base_token(order), order.side == "buy"
    native, wrapped = profile.native, profile.wrapped_native.address
    way = order.way if way is None else way
    return OrderIntent(
        trace_id=TraceId(order.trace_id),
        client_order_id=ClientOrderId(order.client_order_id),
        side="buy" if buys else "sell",
        wallet_key=WalletKey(order.wallet_key),
        pair_key=PairKey(way.get("pair_key", order.pair.pair_key)),
        dex_key=way.get("dex_key", order.pair.dex_key),
        route=tuple(way["tokens"]) if way else ((wrapped, base.address) if buys else (base.address, wrapped)),
        amount_in=Amount(order.amount_in_raw, native if buys else base),
        amount_out_min=Amount(int(way.get("least_raw", order.amount_out_min_raw)), base if buys else native),
        fee_cap_raw=order.fee_cap_raw,
        gas_limit=order.gas_limit + (FURTHER_HOP_GAS if way else 0),
        epoch=order.epoch,
        expires_at_ms=ms_of(order.expires_at),
        fee_bps=way["fees_bps"][0] if way else order.pair.fee_bps,
        hop_fees_bps=tuple(way["fees_bps"]) if way else (),
    )


def orders_waiting(*, chain_key: str, limit: int = 100) -> tuple[int, ...]:
    """Return the orders that wait to be carried out, exits first."""
    rows = Order.objects.filter(chain_key=chain_key, status=OrderStatus.CREATED.value)
    return tuple(rows.order_by("-side", "id").values_list("pk", flat=True)[:limit])


def orders_unsettled(*, chain_key: str, limit: int = 200) -> tuple[int, ...]:
    """Return the orders that the chain must be asked about: in flight, or ended with a transaction left open."""
    in_flight = [status.value for status in IN_FLIGHT_STATUSES]
    rows = Order.objects.filter(chain_key=chain_key)
    open_ids = rows.filter(status__in=in_flight).order_by("id").values_list("pk", flat=True)[:limit]
    late = TxAttempt.objects.filter(chain_key=chain_key, status__in=("signed", "sent"))
    late_ids = (
        late.exclude(order__status__in=in_flight).order_by("id").values_list("order_id", flat=True)[:limit]
    )
    return tuple(dict.fromkeys([*open_ids, *late_ids]))
