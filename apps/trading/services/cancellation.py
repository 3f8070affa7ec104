"""Closing nonce gaps: a transaction to ourselves that takes the place of one that must not, or cannot, come.

Whichever of the two is mined decides; both being stored, settlement understands either.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import timedelta

from django.utils import timezone

from apps.domain.errors import Category, Recovery
from apps.domain.ids import ChainKey, WalletKey
from apps.domain.market import FeeQuote
from apps.domain.order import OrderStatus, SignedTx, UnsignedTx
from apps.state.durability import durable_transaction
from apps.state.services.incidents import incident_open
from apps.trading.logic.gas import limit_with_data
from apps.trading.models import Order, TxAttempt
from apps.trading.services.attempts import attempt_store, cancellations_send
from apps.trading.services.orders import order_advance, order_transition
from apps.trading.services.ports import ExecutionPorts

CANCEL_GAS = 21_000
#: Nodes ask a replacement for a tenth more; an eighth is what the largest of them want.
_REPLACEMENT_BPS = 12_500
CANCELS_MAX = 5
CANCEL_EVERY_S = 15


def nonces_cancel(*, order: Order, nonces: Sequence[int], epoch: int, ports: ExecutionPorts) -> bool:
    """Sign, store and send a cancellation for each of these nonces. False when it rests or has tried often enough.

    Raises what the signer and the reader raise; then nothing was stored.
    """
    earlier = list(TxAttempt.objects.filter(order=order, nonce__in=nonces))
    tries = [item for item in earlier if item.purpose == "cancel"]
    if len(tries) >= CANCELS_MAX * len(nonces):
        _give_up(order)
        return False
    if any(timezone.now() - item.signed_at < timedelta(seconds=CANCEL_EVERY_S) for item in tries):
        return False
    fees = ports.reader.fees()
    owner = ports.signer.address(order.wallet_key)
    pairs: list[tuple[UnsignedTx, SignedTx]] = []
    for nonce in nonces:
        rivals = [item for item in earlier if item.nonce == nonce]
        unsigned = _cancellation(order, nonce=nonce, owner=owner, fees=fees, rivals=rivals)
        pairs.append(
            (unsigned, ports.signer.sign(unsigned, client_order_id=order.client_order_id, epoch=epoch))
        )
    stored = _store(order, pairs, known=len(earlier), block_number=fees.block_number)
    if stored:
        cancellations_send(order=order, attempts=stored, ports=ports)
    return bool(stored)


def _cancellation(
    order: Order, *, nonce: int, owner: str, fees: FeeQuote, rivals: Sequence[TxAttempt]
) -> UnsignedTx:
    max_fee = max([fees.max_fee_wei, *[_above(item.max_fee_wei) for item in rivals]])
    tip = max([fees.tip_wei, *[_above(item.tip_wei) for item in rivals]])
    return UnsignedTx(
        chain_key=ChainKey(order.chain_key),
        wallet_key=WalletKey(order.wallet_key),
        purpose="cancel",
        nonce=nonce,
        to=owner,
        value_raw=0,
        data=b"",
        gas_limit=limit_with_data(CANCEL_GAS, fees),
        max_fee_wei=max(max_fee, tip),
        tip_wei=tip,
    )


def _above(fee_wei: int) -> int:
    return -(-fee_wei * _REPLACEMENT_BPS // 10_000) + 1


def _store(
    order: Order, pairs: Sequence[tuple[UnsignedTx, SignedTx]], *, known: int, block_number: int
) -> list[TxAttempt]:
    """Store the cancellations unless another worker was quicker; a claimed order counts as signed from here on.

    ``known`` is how many attempts these nonces had when the cancellations were priced.
    """
    nonces = [unsigned.nonce for unsigned, _ in pairs]
    with durable_transaction():
        Order.objects.select_for_update().get(pk=order.pk)
        if TxAttempt.objects.filter(order=order, nonce__in=nonces).count() != known:
            return []
        order.refresh_from_db()
        if order.status == OrderStatus.CLAIMED.value:
            moved = order_transition(
                order_id=order.pk,
                before=OrderStatus.CLAIMED,
                after=OrderStatus.SIGNED,
                reason=order.reason or "its nonces are closed",
                if_claimed_at=order.claimed_at,
            )
            if not moved:
                return []
            order.status = OrderStatus.SIGNED.value
        if order.status == OrderStatus.SIGNED.value:
            order_advance(order=order, after=OrderStatus.UNKNOWN, reason=order.reason)
        return [
            attempt_store(order=order, unsigned=unsigned, signed=signed, block_number=block_number)
            for unsigned, signed in pairs
        ]


def _give_up(order: Order) -> None:
    incident_open(
        code="NONCE_BLOCKED",
        category=Category.TRADING,
        recovery=Recovery.PAUSE,
        severity="critical",
        title=f"A transaction of {order.wallet_key} blocks its later ones",
        detail=f"Order {order.pk}: {CANCELS_MAX} cancellations were not mined.",
        remedy="Check the wallet's balance for gas and the chain's endpoints ('manage.py doctor'). The chain decides as"
        " soon as it takes one of the transactions.",
        dedup_key=f"nonce/{order.chain_key}/{order.wallet_key}",
        trace_id=order.trace_id,
    )
