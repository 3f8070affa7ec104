"""Transactions of an order: stored with their bytes before they are sent, sent from those bytes alone."""

from __future__ import annotations

import logging
from collections.abc import Sequence

from django.db.models import F
from django.utils import timezone

from apps.domain.errors import NonceConflictError, SniperError
from apps.domain.ids import ChainKey, ClientOrderId
from apps.domain.order import Purpose, Side, SignedTx, UnsignedTx
from apps.state.services.incidents import incident_from_error
from apps.trading.models import Order, TxAttempt
from apps.trading.services.ports import ExecutionPorts

logger = logging.getLogger(__name__)

_ERROR_LENGTH = 300
_PURPOSES: dict[str, Purpose] = {"swap": "swap", "approve": "approve", "wrap": "wrap", "cancel": "cancel"}


def attempt_store(*, order: Order, unsigned: UnsignedTx, signed: SignedTx) -> TxAttempt:
    """Store a signed transaction in the caller's transaction. Only what is stored is ever sent."""
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
    *, order: Order, attempts: Sequence[TxAttempt], side: Side, ports: ExecutionPorts
) -> SniperError | None:
    """Send stored bytes, outside any transaction. Return None when the network has all of them, else the first error.

    Whatever the error, the transactions may be out: only the chain can say.
    """
    try:
        answers = ports.sender.broadcast_many([signed_of(item, order) for item in attempts], side=side)
    except SniperError as fault:  # a shut fence among them: then nothing was sent
        _note(attempts, str(fault))
        return fault
    now = timezone.now()
    for attempt, error in zip(attempts, answers, strict=True):
        if error is None:
            TxAttempt.objects.filter(pk=attempt.pk).update(broadcast_at=now, error="")
            TxAttempt.objects.filter(pk=attempt.pk, status="signed").update(status="sent")
        else:
            _note([attempt], str(error))
            _report(order, error)
    return next((error for error in answers if error is not None), None)


def _note(attempts: Sequence[TxAttempt], error: str) -> None:
    """Keep what went wrong and when it was tried, so that tries stay apart."""
    TxAttempt.objects.filter(pk__in=[item.pk for item in attempts]).update(
        error=error[:_ERROR_LENGTH], broadcast_at=timezone.now()
    )


def _report(order: Order, error: SniperError) -> None:
    logger.warning(
        "transaction was not taken", extra={"order": order.pk, "code": error.code, "error": str(error)}
    )
    incident_from_error(
        error,
        dedup_key=f"send/{order.chain_key}/{order.wallet_key}/{error.code}",
        trace_id=order.trace_id,
        severity="critical" if isinstance(error, NonceConflictError) else "warning",
    )


def open_attempts(order: Order) -> list[TxAttempt]:
    """Return the attempts of which the chain has not said how they ended, by nonce."""
    rows = TxAttempt.objects.filter(order=order, status__in=("signed", "sent"))
    return list(rows.order_by(F("nonce").asc(nulls_first=True), "id"))
