"""Transactions of an order: stored with their bytes before they are sent, sent from those bytes alone."""

from __future__ import annotations

import logging
from collections.abc import Sequence

from django.db import transaction
from django.db.models import F
from django.utils import timezone

from apps.domain.errors import EpochClosedError, InsufficientFundsError, NonceConflictError, SniperError
from apps.domain.events import EventKind
from apps.domain.ids import ChainKey, ClientOrderId
from apps.domain.order import Purpose, Side, SignedTx, UnsignedTx
from apps.domain.ports import TxSender
from apps.state.services.config import active_config
from apps.state.services.events import event_record
from apps.state.services.incidents import incident_from_error
from apps.trading.logic.ways import PUBLIC, ways_of
from apps.trading.models import Order, TxAttempt
from apps.trading.services.ports import ExecutionPorts

logger = logging.getLogger(__name__)

_ERROR_LENGTH = 300
_PURPOSES: dict[str, Purpose] = {"swap": "swap", "approve": "approve", "wrap": "wrap", "cancel": "cancel"}


def attempt_store(
    *, order: Order, unsigned: UnsignedTx, signed: SignedTx, block_number: int | None = None
) -> TxAttempt:
    """Store a signed transaction in the caller's transaction. Only what is stored is ever sent.

    ``block_number`` is the newest block at its signature: relays have so many blocks from there. The use of the key is
    recorded beside it.
    """
    event_record(
        kind=EventKind.KEY_SIGNED,
        summary=f"Key of {order.wallet_key} signed for order {order.pk}: {signed.purpose}",
        trace_id=order.trace_id,
        subject=f"wallet:{order.wallet_key}",
        payload={
            "purpose": signed.purpose,
            "order": order.pk,
            "chain": str(signed.chain_key),
            "nonce": signed.nonce,
            "epoch": signed.epoch,
            "transaction": signed.tx_hash,
            "max_cost_raw": str(signed.max_cost_raw),
        },
    )
    return TxAttempt.objects.create(
        order=order,
        purpose=signed.purpose,
        chain_key=signed.chain_key,
        wallet_key=order.wallet_key,
        nonce=signed.nonce,
        tx_hash=signed.tx_hash,
        payload=signed.payload,
        epoch=signed.epoch,
        max_cost_raw=signed.max_cost_raw,
        max_fee_wei=unsigned.max_fee_wei,
        tip_wei=unsigned.tip_wei,
        signed_at=timezone.now(),
        signed_block=block_number,
    )


def signed_of(attempt: TxAttempt, order: Order) -> SignedTx:
    """Return the stored transaction as it was signed."""
    return SignedTx(
        client_order_id=ClientOrderId(order.client_order_id),
        chain_key=ChainKey(attempt.chain_key),
        purpose=_PURPOSES[attempt.purpose],
        tx_hash=attempt.tx_hash,
        nonce=attempt.nonce,
        epoch=attempt.epoch,
        max_cost_raw=attempt.max_cost_raw,
        payload=bytes(attempt.payload),
    )


def attempts_send(
    *, order: Order, attempts: Sequence[TxAttempt], side: Side, ports: ExecutionPorts, blocks_waited: int = 0
) -> SniperError | None:
    """Send stored bytes, outside any transaction. Return None when the network has all of them, else the first error.

    Where the chain has private relays they alone get them, and the public pool only as configured. The bytes being the
    same on every way, nothing can be mined twice. Whatever the error, the transactions may be out: only the chain can say.
    """
    if not ports.relays:
        return _sent_by(PUBLIC, ports.sender, order, attempts, side)
    settings = active_config().config.execution
    relays = {relay.key: relay for relay in ports.relays}
    ways = ways_of(tuple(relays), settings, side=side, blocks_waited=blocks_waited)
    if any(PUBLIC in item.sent_by for item in attempts):  # it is a secret no more
        ways = (PUBLIC,)
    error: SniperError | None = None
    for way in ways:
        _way_note(order, attempts, way, why=str(error or "the relays left it out"))
        sender = ports.sender if way == PUBLIC else relays[way]
        error = _sent_by(way, sender, order, attempts, side)
        if error is None or isinstance(error, _FINAL_ERRORS):
            break
    return error


def cancellations_send(
    *, order: Order, attempts: Sequence[TxAttempt], ports: ExecutionPorts
) -> SniperError | None:
    """Send cancellations by every way: they hide nothing, and the one who has their rival must have them, too."""
    errors = []
    rivals = TxAttempt.objects.filter(order=order, status__in=("signed", "sent")).exclude(purpose="cancel")
    hashes = {item.tx_hash: item.sent_by for item in rivals}
    for relay in ports.relays:
        for tx_hash in (tx_hash for tx_hash, ways in hashes.items() if relay.key in ways):
            relay.withdraw(tx_hash)
        errors.append(_sent_by(relay.key, relay, order, attempts, "sell"))
    errors.append(_sent_by(PUBLIC, ports.sender, order, attempts, "sell"))
    return None if None in errors else errors[-1]


#: After these another way gives no other answer.
_FINAL_ERRORS = (EpochClosedError, NonceConflictError, InsufficientFundsError)


def _way_note(order: Order, attempts: Sequence[TxAttempt], way: str, *, why: str) -> None:
    """Keep which way a transaction is given to before it goes there; giving up a secret is an event."""
    new = [item for item in attempts if way not in item.sent_by]
    if not new:
        return
    with transaction.atomic():
        for item in new:
            item.sent_by = [*item.sent_by, way]
            TxAttempt.objects.filter(pk=item.pk).update(sent_by=item.sent_by)
        if way == PUBLIC:
            event_record(
                kind=EventKind.RISK_ALERT,
                summary=f"Order {order.pk} goes to the public pool, where strangers see it: {why}"[
                    :_ERROR_LENGTH
                ],
                trace_id=order.trace_id,
                subject=f"order:{order.pk}",
                payload={"code": "RELAY_LEAKED", "transactions": [item.tx_hash for item in new]},
            )


def _sent_by(
    way: str, sender: TxSender, order: Order, attempts: Sequence[TxAttempt], side: Side
) -> SniperError | None:
    try:
        answers = sender.broadcast_many([signed_of(item, order) for item in attempts], side=side)
    except SniperError as fault:  # a shut fence among them: then nothing was sent
        _note(attempts, str(fault))
        return fault
    now = timezone.now()
    for attempt, error in zip(attempts, answers, strict=True):
        if error is None:
            if way not in attempt.sent_by:
                attempt.sent_by = [*attempt.sent_by, way]
            row, sent = TxAttempt.objects.filter(pk=attempt.pk), {"error": "", "sent_by": attempt.sent_by}
            if not row.filter(status="signed").update(status="sent", broadcast_at=now, **sent):
                row.update(broadcast_at=now, **sent)
        else:
            _note([attempt], str(error))
            _report(order, error, way)
    return next((error for error in answers if error is not None), None)


def _note(attempts: Sequence[TxAttempt], error: str) -> None:
    """Keep what went wrong and when it was tried, so that tries stay apart."""
    TxAttempt.objects.filter(pk__in=[item.pk for item in attempts]).update(
        error=error[:_ERROR_LENGTH], broadcast_at=timezone.now()
    )


def _report(order: Order, error: SniperError, way: str) -> None:
    logger.warning(
        "transaction was not taken",
        extra={"order": order.pk, "code": error.code, "error": str(error), "way": way},
    )
    incident_from_error(
        error,
        dedup_key=f"send/{order.chain_key}/{order.wallet_key}/{error.code}",
        trace_id=order.trace_id,
        severity="critical" if isinstance(error, NonceConflictError) else "warning",
    )


def newest_by_nonce(attempts: Sequence[TxAttempt]) -> list[TxAttempt]:
    """Return of rivals for one nonce only the one that was signed last: no node takes an earlier one beside it."""
    newest = {item.nonce: item for item in sorted(attempts, key=lambda item: item.pk)}
    return sorted(newest.values(), key=lambda item: -1 if item.nonce is None else item.nonce)


def open_attempts(order: Order) -> list[TxAttempt]:
    """Return the attempts of which the chain has not said how they ended, by nonce."""
    rows = TxAttempt.objects.filter(order=order, status__in=("signed", "sent"))
    return list(rows.order_by(F("nonce").asc(nulls_first=True), "id"))
