"""Carrying out an order: claim with nonces → build and sign → store → send. Each step commits before the next begins.

What can be repeated happens before the signature. After it a failure means "unknown", never "failed".
"""

from __future__ import annotations

import logging
from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import timedelta

from django.db import transaction
from django.db.models import Q
from django.utils import timezone

from apps.domain.engine import EngineView
from apps.domain.errors import (
    BroadcastUncertainError,
    EpochClosedError,
    InsufficientFundsError,
    NetworkError,
    SniperError,
)
from apps.domain.market import FeeQuote
from apps.domain.order import OrderIntent, OrderStatus, SignedTx, UnsignedTx
from apps.domain.ports import SwapBuilder
from apps.domain.sending import SendFacts, SendQuestion
from apps.state.durability import durable_transaction
from apps.state.services.config import active_config
from apps.state.services.engine import engine_view
from apps.state.services.incidents import incident_from_error
from apps.trading.logic.gas import (
    cost_raw,
    fees_bid,
    gas_price_cap_wei,
    limit_with_data,
    priced_at,
    tip_raise_max_raw,
)
from apps.trading.models import Order, TxAttempt
from apps.trading.services.attempts import attempt_store, attempts_send
from apps.trading.services.cancellation import nonces_cancel
from apps.trading.services.orders import intent_of, order_transition
from apps.trading.services.ports import ExecutionPorts
from apps.trading.services.revocations import is_being_revoked
from apps.trading.services.routing import way_choose, way_forget
from apps.wallets.services.nonces import nonces_return, nonces_take

__all__ = ["CLAIM_STALE_S", "ExecutionPorts", "claims_recover", "order_execute"]

logger = logging.getLogger(__name__)

#: A claim lasts well under a second; one that is older has lost its worker.
CLAIM_STALE_S = 20


@dataclass(frozen=True, slots=True, kw_only=True)
class _Prepared:
    """Everything read beforehand, so that nothing is read between claim and signature."""

    intent: OrderIntent
    builder: SwapBuilder
    owner: str
    fees: FeeQuote
    chain_nonce: int
    allowance_raw: int
    needs_approval: bool
    deadline_s: int

    @property
    def nonce_count(self) -> int:
        """Return how many transactions the order takes."""
        return 2 if self.needs_approval else 1


def order_execute(*, order_id: int, ports: ExecutionPorts, worker: str) -> OrderStatus:
    """Carry out a created order, at most once; return its status afterwards.

    Raises NetworkError and the like from before the signature: the order then waits for the next try until it expires.
    """
    order = Order.objects.select_related("pair__base", "pair__quote", "position").get(pk=order_id)
    if order.status != OrderStatus.CREATED.value or _ended_unclaimed(order, engine_view()):
        return _status(order_id)
    try:
        prepared = _prepare(order, ports)
    except InsufficientFundsError as error:
        incident_from_error(
            error, dedup_key=f"funds/{order.chain_key}/{order.wallet_key}", trace_id=order.trace_id
        )
        order_transition(
            order_id=order_id, before=OrderStatus.CREATED, after=OrderStatus.DENIED, reason=str(error)
        )
        return OrderStatus.DENIED
    if prepared is None:
        return _status(order_id)
    first = _claim(order, prepared, worker)
    if first is None:
        return _status(order_id)
    try:
        pairs = _sign(order, prepared, ports, first)
    except SniperError as error:
        claim_return(order=order, ports=ports, error=error)
        if isinstance(error, EpochClosedError):  # the kill switch did its work
            return _status(order_id)
        raise
    except Exception:
        logger.exception("order was not signed", extra={"order": order_id})
        claim_return(order=order, ports=ports, error=None)
        raise
    attempts = _store(order, pairs, prepared.fees.block_number)
    if attempts:
        _send(order, attempts, ports)
    return _status(order_id)


def _status(order_id: int) -> OrderStatus:
    return OrderStatus(Order.objects.values_list("status", flat=True).get(pk=order_id))


def _ended_unclaimed(order: Order, engine: EngineView) -> bool:
    """End an order that is too old or belongs to a closed epoch; True when it must not be carried out."""
    if order.expires_at <= timezone.now():
        order_transition(
            order_id=order.pk,
            before=OrderStatus.CREATED,
            after=OrderStatus.EXPIRED,
            reason="it was not signed in time",
        )
        return True
    allowed = engine.may_enter if order.side == "buy" else engine.may_exit
    if order.epoch == engine.epoch and allowed:
        return False
    order_transition(
        order_id=order.pk,
        before=OrderStatus.CREATED,
        after=OrderStatus.CANCELLED,
        reason=f"the engine is {engine.status.value} in epoch {engine.epoch}, the order is of epoch {order.epoch}",
    )
    return True


# -- before the claim: reading ------------------------------------------------------------
def _prepare(order: Order, ports: ExecutionPorts) -> _Prepared | None:
    """Read what is needed; None when gas is above the order's cap now or the swap would fail.

    All of it is read in one round trip. Raises InsufficientFundsError, NetworkError.
    """
    way_choose(order=order, ports=ports)
    owner = ports.signer.address(order.wallet_key)
    config = active_config().config
    deadline = timezone.now() + timedelta(seconds=config.execution.transaction_deadline_s)
    deadline_s = int(deadline.timestamp())
    intent, builder, found = _asked(order, ports, owner=owner, deadline_s=deadline_s)
    if found.failure and order.way:
        way_forget(order=order, failure=found.failure)
        intent, builder, found = _asked(order, ports, owner=owner, deadline_s=deadline_s)
    gas, quoted = intent.gas_limit, found.fees
    approval: UnsignedTx | None = None
    if intent.side == "sell":
        approval = builder.approval(intent, nonce=0, allowance_raw=found.allowance_raw)
        gas += 0 if approval is None else limit_with_data(approval.gas_limit, quoted)
    else:
        raise_max_raw = tip_raise_max_raw(config, intent.amount_in.raw)
        quoted = fees_bid(quoted, gas_limit=gas, raise_max_raw=raise_max_raw)
    count = 1 if approval is None else 2
    fees = _capped(quoted, gas_price_cap_wei(intent.fee_cap_raw, gas=gas, fees=quoted, transactions=count))
    if fees is None:
        logger.info("order waits for cheaper gas", extra={"order": order.pk})
        return None
    needed = (intent.amount_in.raw if intent.side == "buy" else 0) + cost_raw(gas, fees, transactions=count)
    if found.balance_raw < needed:
        raise InsufficientFundsError(
            f"Wallet {order.wallet_key} cannot pay for this order and its gas.",
            remedy=f"Send {ports.profile.native.symbol} to {owner} on {ports.profile.name}.",
            balance_raw=str(found.balance_raw),
            needed_raw=str(needed),
        )
    if found.failure:
        _give_up(order, found.failure)
        return None
    return _Prepared(
        intent=intent,
        builder=builder,
        owner=owner,
        fees=fees,
        chain_nonce=found.nonce,
        allowance_raw=found.allowance_raw,
        needs_approval=approval is not None,
        deadline_s=deadline_s,
    )


def _asked(
    order: Order, ports: ExecutionPorts, *, owner: str, deadline_s: int
) -> tuple[OrderIntent, SwapBuilder, SendFacts]:
    """Return the swap as it stands, who builds it, and what must be known before it is signed."""
    intent = intent_of(order, ports.profile)
    builder = ports.builder(intent.dex_key)
    swap = builder.swap(intent, nonce=0, recipient=owner, deadline_s=deadline_s)
    # Sales are sent without a trial: whoever wants out does not wait for a better moment.
    found = ports.reader.send_facts(
        SendQuestion(owner=owner, trial=swap)
        if intent.side == "buy"
        else SendQuestion(owner=owner, spender=swap.to, token_address=intent.amount_in.token.address)
    )
    if intent.side == "sell" and is_being_revoked(
        order=order, token_address=intent.amount_in.token.address, spender=swap.to
    ):  # its nonce is the earlier one: by the time of the swap nothing is left
        found = replace(found, allowance_raw=0)
    return intent, builder, found


def _give_up(order: Order, failure: str) -> None:
    """End an entry that would only burn gas, as when others moved the price; the pair is then looked at afresh."""
    order_transition(
        order_id=order.pk,
        before=OrderStatus.CREATED,
        after=OrderStatus.CANCELLED,
        reason=f"it would fail in the next block ({failure})",
    )


def _capped(fees: FeeQuote, fee_cap_wei: int) -> FeeQuote | None:
    """Return the fees within the order's cap, None when the next block's base fee alone is above it."""
    max_fee = min(fees.max_fee_wei, fee_cap_wei)
    if max_fee <= fees.base_fee_wei and max_fee < fees.max_fee_wei:
        return None
    return replace(fees, max_fee_wei=max_fee, tip_wei=min(fees.tip_wei, max_fee))


# -- commit 1: the claim ------------------------------------------------------------------
def _claim(order: Order, prepared: _Prepared, worker: str) -> int | None:
    """Take the order and its nonces in one transaction; None when another worker was quicker."""
    order.claimed_at, order.claimed_by = timezone.now(), worker[:120]
    with transaction.atomic():
        first = nonces_take(
            wallet_key=order.wallet_key,
            chain_key=order.chain_key,
            count=prepared.nonce_count,
            chain_nonce=prepared.chain_nonce,
        )
        moved = order_transition(
            order_id=order.pk,
            before=OrderStatus.CREATED,
            after=OrderStatus.CLAIMED,
            claimed_at=order.claimed_at,
            claimed_by=order.claimed_by,
            nonce_first=first,
            nonce_count=prepared.nonce_count,
            way=order.way,
        )
        if not moved:
            transaction.set_rollback(True)
            return None
    order.nonce_first, order.nonce_count = first, prepared.nonce_count
    order.status = OrderStatus.CLAIMED.value
    return first


def claim_return(*, order: Order, ports: ExecutionPorts, error: SniperError | None) -> None:
    """Take back a claim of which nothing was stored: nonces first, then the order by what went wrong.

    Where later nonces are out already, ours are closed by cancellations and the chain decides.
    """
    assert order.nonce_first is not None
    after = OrderStatus.DENIED
    if isinstance(error, NetworkError):
        after = OrderStatus.CREATED
    elif isinstance(error, EpochClosedError):
        after = OrderStatus.CANCELLED
    reason = str(error) if error is not None else "our own code failed before the signature"
    with transaction.atomic():
        order_given_up = not TxAttempt.objects.filter(order=order).exists() and nonces_return(
            wallet_key=order.wallet_key,
            chain_key=order.chain_key,
            first=order.nonce_first,
            count=order.nonce_count,
        )
        if order_given_up:
            moved = order_transition(
                order_id=order.pk,
                before=OrderStatus.CLAIMED,
                after=after,
                reason=reason,
                if_claimed_at=order.claimed_at,
                nonce_first=None,
                nonce_count=0,
            )
            if not moved:  # the sweep was quicker, nonces included
                transaction.set_rollback(True)
            return
    _close_gap(order, ports)


def _close_gap(order: Order, ports: ExecutionPorts) -> None:
    assert order.nonce_first is not None
    nonces = range(order.nonce_first, order.nonce_first + order.nonce_count)
    try:
        nonces_cancel(order=order, nonces=list(nonces), epoch=engine_view().epoch, ports=ports)
    except SniperError as error:  # the claim stays, and the sweep comes back to it
        logger.warning("nonce gap was not closed yet", extra={"order": order.pk, "code": error.code})


def claims_recover(*, chain_key: str, ports: ExecutionPorts, stale_s: int = CLAIM_STALE_S) -> int:
    """Take back the claims of workers that died before they stored anything."""
    now, stale = timezone.now(), timedelta(seconds=stale_s)
    # A claim that lies far ahead is of a clock that was set back since.
    is_stale = Q(claimed_at__lt=now - stale) | Q(claimed_at__gt=now + stale)
    rows = Order.objects.filter(
        is_stale, chain_key=chain_key, status=OrderStatus.CLAIMED.value, attempts=None
    )
    orders = list(
        rows.order_by("-nonce_first")
    )  # the newest nonces first, so that the earlier become the last
    for order in orders:
        claim_return(
            order=order, ports=ports, error=NetworkError("its worker ended before the signature", remedy="")
        )
    return len(orders)


# -- build and sign, in memory ------------------------------------------------------------
def _sign(
    order: Order, prepared: _Prepared, ports: ExecutionPorts, first: int
) -> list[tuple[UnsignedTx, SignedTx]]:
    intent, builder = prepared.intent, prepared.builder
    unsigned: list[UnsignedTx] = []
    if prepared.needs_approval:
        approval = builder.approval(intent, nonce=first, allowance_raw=prepared.allowance_raw)
        assert approval is not None
        unsigned.append(approval)
    unsigned.append(
        builder.swap(
            intent, nonce=first + len(unsigned), recipient=prepared.owner, deadline_s=prepared.deadline_s
        )
    )
    priced = [priced_at(item, prepared.fees) for item in unsigned]
    return [
        (item, ports.signer.sign(item, client_order_id=order.client_order_id, epoch=order.epoch))
        for item in priced
    ]


# -- commit 2: the bytes ------------------------------------------------------------------
def _store(order: Order, pairs: Sequence[tuple[UnsignedTx, SignedTx]], block_number: int) -> list[TxAttempt]:
    """Store the signed transactions and mark the order; nothing when the claim was taken back meanwhile."""
    with durable_transaction():
        moved = order_transition(
            order_id=order.pk,
            before=OrderStatus.CLAIMED,
            after=OrderStatus.SIGNED,
            if_claimed_at=order.claimed_at,
        )
        if not moved:
            logger.warning("claim was taken back before the signature was stored", extra={"order": order.pk})
            return []
        return [
            attempt_store(order=order, unsigned=unsigned, signed=signed, block_number=block_number)
            for unsigned, signed in pairs
        ]


# -- then the send ------------------------------------------------------------------------
def _send(order: Order, attempts: Sequence[TxAttempt], ports: ExecutionPorts) -> None:
    error = attempts_send(
        order=order, attempts=attempts, side="buy" if order.side == "buy" else "sell", ports=ports
    )
    if error is None:
        order_transition(order_id=order.pk, before=OrderStatus.SIGNED, after=OrderStatus.SUBMITTED)
        return
    if isinstance(error, EpochClosedError) and _unsend(order, attempts, str(error)):
        return
    uncertain = isinstance(error, BroadcastUncertainError)
    order_transition(
        order_id=order.pk,
        before=OrderStatus.SIGNED,
        after=OrderStatus.UNKNOWN,
        reason=f"{'the send is uncertain' if uncertain else 'the send was refused'}: {error}",
    )


def _unsend(order: Order, attempts: Sequence[TxAttempt], reason: str) -> bool:
    """Give up an order whose bytes met a shut fence and were handed to nobody; False when that is not certain.

    The bytes are deleted, so that nothing can send them later and their nonces are free for others.
    """
    assert order.nonce_first is not None
    with transaction.atomic():
        unsent = TxAttempt.objects.filter(order=order, status="signed", sent_by=[])
        is_all = unsent.count() == len(attempts) == TxAttempt.objects.filter(order=order).count()
        if not is_all or not nonces_return(
            wallet_key=order.wallet_key,
            chain_key=order.chain_key,
            first=order.nonce_first,
            count=order.nonce_count,
        ):
            return False
        unsent.delete()
        moved = order_transition(
            order_id=order.pk,
            before=OrderStatus.SIGNED,
            after=OrderStatus.CANCELLED,
            reason=f"signed and sent to nobody: {reason}",
            nonce_first=None,
            nonce_count=0,
        )
        if not moved:  # somebody else has it meanwhile, bytes and nonces included
            transaction.set_rollback(True)
        return moved
