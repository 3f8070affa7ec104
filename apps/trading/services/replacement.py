"""Replacing stuck transactions: further attempts of the same order and nonces that offer more, within the order's cap.

Whichever of the rivals is mined decides; all being stored, settlement books the one and marks the others replaced.
"""

from __future__ import annotations

import logging
from collections.abc import Sequence
from datetime import timedelta

from django.db.models import Q
from django.utils import timezone

from apps.domain.events import EventKind
from apps.domain.ids import NATIVE_ADDRESS
from apps.domain.market import FeeQuote
from apps.domain.order import IN_FLIGHT_STATUSES, OrderIntent, OrderStatus, SignedTx, UnsignedTx
from apps.state.durability import durable_transaction
from apps.state.services.config import active_config
from apps.state.services.events import event_record
from apps.trading.logic.gas import cost_raw, priced_at
from apps.trading.logic.replacement import Waiting, fees_offered, is_outbid, is_shut_out
from apps.trading.models import Order, Revocation, TxAttempt
from apps.trading.services.attempts import attempt_store, attempts_send, newest_by_nonce, open_attempts
from apps.trading.services.cancellation import nonces_cancel
from apps.trading.services.orders import intent_of, order_advance
from apps.trading.services.ports import ExecutionPorts

logger = logging.getLogger(__name__)

#: A transaction has so long to be mined at its own price before it is looked at, and so has each replacement.
REPLACE_EVERY_S = 6
#: A revocation is in no hurry: a sale waits behind it no longer than this.
REVOCATION_GIVES_WAY_S = 10
#: At an eighth more each time the last one pays 42 % more than the first: what that does not move is stuck otherwise.
REPLACEMENTS_MAX = 3


def order_replace(*, order: Order, pending: Sequence[TxAttempt], epoch: int, ports: ExecutionPorts) -> bool:
    """Offer more for the order's waiting transactions, or cancel them when they would fail now; True when it did either.

    A revocation that a sale waits behind is cancelled. More is offered only where their price is why they wait, only in the epoch of the order, and never beyond its fee cap, its minimum
    out or its first deadline. Raises what the signer and the reader raise; then nothing was stored.
    """
    in_the_way = _nonces_in_the_way(order, pending)
    if in_the_way:
        return nonces_cancel(order=order, nonces=in_the_way, epoch=epoch, ports=ports)
    waiting = newest_by_nonce(pending)
    if not _is_due(order, pending, waiting, epoch):
        return False
    fees = ports.reader.fees()
    prices = tuple(_waiting_of(item) for item in waiting)
    if not any(is_outbid(item, fees) for item in prices):
        return False
    unsigned = _rebuilt(order, waiting, ports)
    is_out = any(is_shut_out(item, fees) for item in prices)
    if is_out and _would_fail(unsigned, ports, owner=ports.signer.address(order.wallet_key)):
        # Tried upon a block that cannot hold the waiting ones: the market has moved, and more gas would be lost.
        _reason(order, "its gas was too low, and by now it would fail")
        nonces = [item.nonce for item in waiting if item.nonce is not None]
        return nonces_cancel(order=order, nonces=nonces, epoch=epoch, ports=ports)
    spent_raw = sum(
        fee or 0 for fee in TxAttempt.objects.filter(order=order).values_list("fee_paid_raw", flat=True)
    )
    offer = fees_offered(prices, fees, fee_cap_raw=max(order.fee_cap_raw - spent_raw, 0))
    if offer is None or not _is_affordable(unsigned, offer, ports, order):
        logger.info("order waits at its price: more is above its cap", extra={"order": order.pk})
        return False
    priced = [priced_at(item, offer) for item in unsigned]
    pairs = [
        (item, ports.signer.sign(item, client_order_id=order.client_order_id, epoch=order.epoch))
        for item in priced
    ]
    stored = _store(order, pairs, pending, block_number=offer.block_number)
    if stored:
        attempts_send(
            order=order, attempts=stored, side="buy" if order.side == "buy" else "sell", ports=ports
        )
    return bool(stored)


def _is_due(order: Order, pending: Sequence[TxAttempt], waiting: Sequence[TxAttempt], epoch: int) -> bool:
    now = timezone.now()
    if order.epoch != epoch or order.is_extra or OrderStatus(order.status) not in IN_FLIGHT_STATUSES:
        return False
    if any(item.purpose == "cancel" or item.epoch != epoch or item.nonce is None for item in pending):
        return False
    if _revocations(pending):  # built anew it would approve again, and behind the swap
        return False
    if not any(item.purpose == "swap" for item in waiting):
        return False
    if any(now - item.signed_at < timedelta(seconds=REPLACE_EVERY_S) for item in waiting):
        return False
    rounds = max(sum(item.nonce == rival.nonce for rival in pending) for item in waiting)
    return rounds <= REPLACEMENTS_MAX and now.timestamp() + REPLACE_EVERY_S < _deadline_s(order)


def _revocations(pending: Sequence[TxAttempt]) -> list[TxAttempt]:
    """Return those of the waiting transactions that take an approval back."""
    approvals = [item for item in pending if item.purpose == "approve"]
    if not approvals:
        return []
    taken = set(Revocation.objects.filter(attempt__in=approvals).values_list("attempt_id", flat=True))
    return [item for item in approvals if item.pk in taken]


def _nonces_in_the_way(order: Order, pending: Sequence[TxAttempt]) -> list[int]:
    """Return the nonces of revocations that had their time while a sale of the same wallet waits behind them."""
    late = timezone.now() - timedelta(seconds=REVOCATION_GIVES_WAY_S)
    nonces = [
        item.nonce for item in _revocations(pending) if item.nonce is not None and item.signed_at <= late
    ]
    if not nonces:
        return []
    sales = Order.objects.filter(chain_key=order.chain_key, wallet_key=order.wallet_key, side="sell")
    behind = Q(status=OrderStatus.CREATED.value) | Q(
        status__in=[item.value for item in IN_FLIGHT_STATUSES],
        attempts__status__in=("signed", "sent"),
        attempts__nonce__gt=min(nonces),
    )
    return nonces if sales.filter(behind).exclude(pk=order.pk).exists() else []


def _deadline_s(order: Order) -> int:
    """Return when the order's first swap stops being valid, in seconds since 1970; a replacement lives no longer."""
    first = TxAttempt.objects.filter(order=order, purpose="swap").order_by("pk").first()
    assert first is not None
    return int(first.signed_at.timestamp()) + active_config().config.execution.transaction_deadline_s


def _waiting_of(attempt: TxAttempt) -> Waiting:
    return Waiting(
        gas_limit=attempt.max_cost_raw // max(attempt.max_fee_wei, 1),
        max_fee_wei=attempt.max_fee_wei,
        tip_wei=attempt.tip_wei,
    )


def _rebuilt(order: Order, waiting: Sequence[TxAttempt], ports: ExecutionPorts) -> list[UnsignedTx]:
    """Build the same transactions anew: same nonces, same amounts, same deadline."""
    intent: OrderIntent = intent_of(order, ports.profile)
    builder, owner = ports.builder(intent.dex_key), ports.signer.address(order.wallet_key)
    built: list[UnsignedTx] = []
    for item in waiting:
        assert item.nonce is not None
        if item.purpose == "swap":
            deadline_s = _deadline_s(order)
            built.append(builder.swap(intent, nonce=item.nonce, recipient=owner, deadline_s=deadline_s))
            continue
        approval = builder.approval(intent, nonce=item.nonce, allowance_raw=0)
        assert approval is not None
        built.append(approval)
    return built


def _would_fail(unsigned: Sequence[UnsignedTx], ports: ExecutionPorts, *, owner: str) -> bool:
    """Tell whether the swap would fail in the next block; one that needs its approval first cannot be tried."""
    if len(unsigned) > 1:
        return False
    return bool(ports.reader.failure_ahead(unsigned[0], sender=owner))


def _is_affordable(
    unsigned: Sequence[UnsignedTx], offer: FeeQuote, ports: ExecutionPorts, order: Order
) -> bool:
    owner = ports.signer.address(order.wallet_key)
    balance = ports.reader.balances(owner, [NATIVE_ADDRESS]).get(NATIVE_ADDRESS, 0)
    return balance >= sum(
        item.value_raw + cost_raw(item.gas_limit, offer, transactions=1)
        for item in (priced_at(raw, offer) for raw in unsigned)
    )


def _store(
    order: Order,
    pairs: Sequence[tuple[UnsignedTx, SignedTx]],
    pending: Sequence[TxAttempt],
    *,
    block_number: int,
) -> list[TxAttempt]:
    """Store the replacements unless the order or its attempts have moved meanwhile."""
    with durable_transaction():
        row = Order.objects.select_for_update().get(pk=order.pk)
        if row.status != order.status or [item.pk for item in open_attempts(row)] != [
            item.pk for item in pending
        ]:
            return []
        if row.status == OrderStatus.SIGNED.value:
            order_advance(order=row, after=OrderStatus.UNKNOWN, reason=row.reason)
        offer = pairs[-1][0]
        event_record(
            kind=EventKind.ORDER_CHANGED,
            summary=f"Order {order.pk} offers more gas to be mined",
            trace_id=order.trace_id,
            subject=f"order:{order.pk}",
            payload={
                "status": row.status,
                "max_fee_wei": str(offer.max_fee_wei),
                "tip_wei": str(offer.tip_wei),
                "nonces": [unsigned.nonce for unsigned, _ in pairs],
            },
        )
        return [
            attempt_store(order=order, unsigned=unsigned, signed=signed, block_number=block_number)
            for unsigned, signed in pairs
        ]


def _reason(order: Order, reason: str) -> None:
    Order.objects.filter(pk=order.pk).update(reason=reason)
    order.reason = reason
