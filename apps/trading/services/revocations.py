"""Taking approvals back: asked for as a row, signed once, and settled as a further transaction of the order that approved.

Settlement sends its bytes again, books its gas and survives reorganisations as it does with every other attempt.
"""

from __future__ import annotations

import logging

from django.db import IntegrityError, transaction
from django.utils import timezone

from apps.domain.errors import (
    ConfigurationError,
    EpochClosedError,
    InsufficientFundsError,
    NetworkError,
    NonceConflictError,
    SniperError,
    TradingError,
)
from apps.domain.events import EventKind
from apps.domain.ids import NATIVE_ADDRESS, ChainKey, WalletKey
from apps.domain.order import IN_FLIGHT_STATUSES, OrderStatus, UnsignedTx
from apps.state.durability import durable_transaction
from apps.state.services.engine import engine_view
from apps.state.services.events import event_record
from apps.trading.logic.gas import cost_raw, limit_with_data
from apps.trading.models import Order, Revocation, TxAttempt
from apps.trading.services.allowances import ADDRESS_PADDING, APPROVE_SELECTOR, spender_of
from apps.trading.services.attempts import attempt_store, attempts_send
from apps.trading.services.ports import ExecutionPorts
from apps.wallets.services.nonces import nonces_next, nonces_take

logger = logging.getLogger(__name__)

#: A hostile token may ask for more; then its revocation fails, and costs no more than this.
REVOKE_GAS_LIMIT = 150_000
#: The nonce is signed before it is taken, so that a crash in between leaves no gap; another order may be quicker.
_TRIES_MAX = 5
APPROVALS_MAX = 500
_LENGTH = 300


def revocation_request(*, approval_id: int, by: str) -> Revocation:
    """Ask for an approval that we signed to be taken back; the one that waits already is returned again.

    Raises ConfigurationError when that transaction is no approval of ours that was mined, or its sale is on its way.
    """
    attempt = TxAttempt.objects.select_related("order__pair__base").filter(pk=approval_id).first()
    spender = "" if attempt is None else spender_of(bytes(attempt.payload))
    if attempt is None or attempt.purpose != "approve" or attempt.status != "mined" or not spender:
        raise ConfigurationError(
            "There is no mined approval of ours to take back.", remedy="See 'manage.py wallet approvals'."
        )
    token, order = attempt.order.pair.base.address, attempt.order
    if is_needed(order):  # its sale would fail, or wait behind what takes its approval away
        raise ConfigurationError(
            "The sale that needs this approval is on its way.", remedy="Ask again once it is settled."
        )
    try:
        with transaction.atomic():
            row = Revocation.objects.create(
                order=order,
                token_address=token,
                spender=spender,
                requested_by=by,
                created_at=timezone.now(),
            )
            event_record(
                kind=EventKind.ORDER_CHANGED,
                summary=f"Approval of {token} for {spender} is to be taken back",
                actor=by,
                trace_id=order.trace_id,
                subject=f"order:{order.pk}",
                payload={"revocation": row.pk, "token": token, "spender": spender},
            )
            return row
    except IntegrityError:
        return Revocation.objects.get(order=order, spender=spender, status="waiting")


def is_needed(order: Order) -> bool:
    """Tell whether the order's sale may still use its approval."""
    status = OrderStatus(order.status)
    return status is OrderStatus.CLAIMED or status in IN_FLIGHT_STATUSES


def approval_of(*, chain_key: str, wallet_key: str, token_address: str, spender: str) -> int:
    """Return the newest mined approval of ours for this token and spender. Raises ConfigurationError when there is none."""
    rows = TxAttempt.objects.filter(
        chain_key=chain_key,
        wallet_key=wallet_key,
        purpose="approve",
        status="mined",
        order__pair__base__address__iexact=token_address,
    )
    for row in rows.order_by("-id")[:APPROVALS_MAX]:
        if spender_of(bytes(row.payload)) == spender.lower():
            return row.pk
    raise ConfigurationError(
        f"Wallet {wallet_key} never approved {spender} for {token_address} on {chain_key}.",
        remedy="See 'manage.py wallet approvals'.",
    )


def revocations_waiting(*, chain_key: str, limit: int = 50) -> tuple[int, ...]:
    """Return the revocations of which nothing is signed, oldest first."""
    rows = Revocation.objects.filter(status="waiting", order__chain_key=chain_key)
    return tuple(rows.order_by("id").values_list("pk", flat=True)[:limit])


def revocation_execute(*, revocation_id: int, ports: ExecutionPorts) -> TxAttempt | None:
    """Sign, store and send a revocation, at most once; None when it waits, or there is nothing left to take back.

    Raises what reader and signer raise: nothing is taken then. What passes by itself is tried again, a refusal of the
    signer ends it. A shut engine lets it wait.
    """
    row = Revocation.objects.select_related("order__pair__base").get(pk=revocation_id)
    engine, order = engine_view(), row.order
    if row.status != "waiting":
        return None
    if not engine.may_exit:
        _explain(row, f"the engine is {engine.status.value.replace('_', ' ')}")
        return None
    try:
        attempt = _stored(row, ports, epoch=engine.epoch)
    except SniperError as error:
        if not isinstance(error, NetworkError | NonceConflictError | EpochClosedError):
            _end(row, f"it could not be signed: {error}")  # as with a locked wallet; a person may ask again
        raise
    if attempt is not None:
        attempts_send(order=order, attempts=[attempt], side="sell", ports=ports)
    return attempt


def _stored(row: Revocation, ports: ExecutionPorts, *, epoch: int) -> TxAttempt | None:
    """Return the signed and stored transaction; None when nothing is left to take back."""
    owner = ports.signer.address(row.order.wallet_key)
    if ports.reader.allowance(owner, row.spender, row.token_address) == 0:
        _end(row, "nothing is left to take back")
        return None
    for _ in range(_TRIES_MAX):
        attempt = _signed_and_stored(row, ports, owner=owner, epoch=epoch)
        if attempt is not None:
            return attempt
    raise NonceConflictError(
        f"No nonce of {row.order.wallet_key} was to be had for a revocation: its orders took them.",
        remedy="It is tried again by itself.",
    )


def _signed_and_stored(row: Revocation, ports: ExecutionPorts, *, owner: str, epoch: int) -> TxAttempt | None:
    """Sign with the next nonce; then take it, store the bytes and mark the row at once. None when another was quicker."""
    order = row.order
    fees = ports.reader.fees()
    chain_nonce = ports.reader.transaction_count(owner, pending=True)
    known = nonces_next(wallet_key=order.wallet_key, chain_key=order.chain_key)
    unsigned = UnsignedTx(
        chain_key=ChainKey(order.chain_key),
        wallet_key=WalletKey(order.wallet_key),
        purpose="approve",
        nonce=chain_nonce if known is None else known,
        to=row.token_address,
        value_raw=0,
        data=APPROVE_SELECTOR + ADDRESS_PADDING + bytes.fromhex(row.spender.removeprefix("0x")) + bytes(32),
        gas_limit=limit_with_data(REVOKE_GAS_LIMIT, fees),
        max_fee_wei=fees.max_fee_wei,
        tip_wei=fees.tip_wei,
    )
    _check_funds(order, ports, owner=owner, needed_raw=cost_raw(unsigned.gas_limit, fees, transactions=1))
    signed = ports.signer.sign(unsigned, client_order_id=order.client_order_id, epoch=epoch)
    with durable_transaction():
        if not Revocation.objects.filter(pk=row.pk, status="waiting").update(status="signed", explanation=""):
            raise TradingError(
                "This revocation was signed by another worker.", remedy="There is nothing to do."
            )
        taken = nonces_take(
            wallet_key=order.wallet_key, chain_key=order.chain_key, count=1, chain_nonce=chain_nonce
        )
        if taken != unsigned.nonce:
            transaction.set_rollback(True)
            return None
        attempt = attempt_store(order=order, unsigned=unsigned, signed=signed, block_number=fees.block_number)
        Revocation.objects.filter(pk=row.pk).update(attempt=attempt)
        event_record(
            kind=EventKind.KEY_USED,
            summary=f"Approval of {row.token_address} for {row.spender} is being taken back",
            actor=row.requested_by,
            trace_id=order.trace_id,
            subject=f"wallet:{order.wallet_key}",
            payload={"tx_hash": signed.tx_hash, "nonce": unsigned.nonce, "revocation": row.pk},
        )
    return attempt


def _check_funds(order: Order, ports: ExecutionPorts, *, owner: str, needed_raw: int) -> None:
    """Raise InsufficientFundsError when the wallet cannot pay: unpaid, it would hold up every sale behind it."""
    balance_raw = ports.reader.balances(owner, [NATIVE_ADDRESS]).get(NATIVE_ADDRESS, 0)
    if balance_raw < needed_raw:
        raise InsufficientFundsError(
            f"Wallet {order.wallet_key} cannot pay for taking the approval back.",
            remedy=f"Send {ports.profile.native.symbol} to {owner} on {ports.profile.name}, then ask again.",
            balance_raw=str(balance_raw),
            needed_raw=str(needed_raw),
        )


def _explain(row: Revocation, words: str) -> None:
    Revocation.objects.filter(pk=row.pk).exclude(explanation=words).update(explanation=words[:_LENGTH])


def _end(row: Revocation, words: str) -> None:
    with transaction.atomic():
        if Revocation.objects.filter(pk=row.pk, status="waiting").update(
            status="ended", explanation=words[:_LENGTH]
        ):
            event_record(
                kind=EventKind.ORDER_CHANGED,
                summary=f"Approval of {row.token_address} for {row.spender}: {words}",
                trace_id=row.order.trace_id,
                subject=f"order:{row.order.pk}",
                payload={"revocation": row.pk},
            )


def revocations_of(order_ids: list[int]) -> dict[tuple[int, str], Revocation]:
    """Return the newest revocation by order and spender."""
    rows = Revocation.objects.filter(order_id__in=order_ids).select_related("attempt").order_by("id")
    return {(row.order_id, row.spender): row for row in rows}


def is_being_revoked(*, order: Order, token_address: str, spender: str) -> bool:
    """Tell whether a transaction is out that takes away what ``spender`` may take of the token from the order's wallet."""
    return Revocation.objects.filter(
        order__chain_key=order.chain_key,
        order__wallet_key=order.wallet_key,
        token_address__iexact=token_address,
        spender__iexact=spender,
        attempt__status__in=("signed", "sent"),
    ).exists()


def is_under_way(row: Revocation) -> bool:
    """Tell whether its transaction is signed and not at its end, or has done its work."""
    return row.attempt is not None and row.attempt.status in ("signed", "sent", "mined")


def told_of(row: Revocation) -> str:
    """Return how a revocation stands, in plain words."""
    if row.attempt is None:
        return row.explanation or "waits to be signed"
    words = {
        "mined": "taken back",
        "reverted": "the token refused to take it back",
        "replaced": "given up: it was not mined in time",
        "dropped": "given up: its nonce was used elsewhere",
    }
    return words.get(row.attempt.status, "on its way")
