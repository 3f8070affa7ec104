"""What the chain says about our transactions, booked. Repeatable at will: each fact is booked once."""

from __future__ import annotations

import logging
from collections.abc import Callable, Mapping
from datetime import datetime, timedelta

from django.db import transaction
from django.utils import timezone

from apps.chains.evm.parse import fill_amounts
from apps.domain.errors import (
    BadDataError,
    Category,
    EpochClosedError,
    NonceConflictError,
    Recovery,
    SniperError,
)
from apps.domain.ids import ClientOrderId, TraceId
from apps.domain.market import ChainProfile, Receipt
from apps.domain.money import Amount
from apps.domain.order import FINAL_STATUSES, IN_FLIGHT_STATUSES, OrderStatus, Side
from apps.domain.position import Fill
from apps.state.services.config import active_config
from apps.state.services.engine import engine_view
from apps.state.services.incidents import incident_from_error, incident_open, incident_resolve
from apps.trading.logic import ledger
from apps.trading.logic.ways import PUBLIC, are_relays_spent
from apps.trading.models import FillRecord, JournalEntry, Order, Position, TxAttempt
from apps.trading.services.attempts import attempts_send, cancellations_send, newest_by_nonce, open_attempts
from apps.trading.services.cancellation import nonces_cancel
from apps.trading.services.ledger import account_balance, entry_reverse, entry_write, standing_key
from apps.trading.services.orders import order_advance, order_transition
from apps.trading.services.ports import ExecutionPorts
from apps.trading.services.positions import base_token, fees_paid, fill_apply, native_worth, position_rebuild
from apps.trading.services.replacement import order_replace

logger = logging.getLogger(__name__)

#: Gives the hashes of the blocks that were read, by height, from a height on.
HashesOf = Callable[[int], Mapping[int, str]]

#: A stored transaction that is younger is just being sent by its worker.
SEND_STALE_S = 5
#: Stored bytes are sent again at most this often.
REBROADCAST_EVERY_S = 6
#: On top of a transaction's own deadline, for clocks that differ.
DEADLINE_MARGIN_S = 10


def order_settle(*, order_id: int, ports: ExecutionPorts) -> OrderStatus:
    """Ask the chain about an order's transactions and book the answers; return the order's status afterwards.

    Raises NetworkError when the chain does not answer: nothing is changed then.
    """
    order = Order.objects.select_related("pair__base", "pair__quote", "decision").get(pk=order_id)
    status = OrderStatus(order.status)
    attempts = open_attempts(order)
    if status not in IN_FLIGHT_STATUSES and not (status in FINAL_STATUSES and attempts):
        return status
    mined = _receipts(attempts, ports)
    consumed = 0
    if len(mined) < len(attempts):
        # The count is read before the receipts are read again: a nonce that counts as used has its receipt by then.
        consumed = ports.reader.transaction_count(ports.signer.address(order.wallet_key), pending=False)
        mined |= _receipts([item for item in attempts if item.pk not in mined], ports)
    for attempt in attempts:
        if attempt.pk in mined:
            _book(order, attempt, mined[attempt.pk], ports)
    order.refresh_from_db()
    if _conclude(order):
        return OrderStatus(order.status)
    pending = open_attempts(order)
    if pending and not _consumed_by_others(order, pending, consumed, ports):
        _press(order, pending, ports)
    order.refresh_from_db()
    return OrderStatus(order.status)


def _receipts(attempts: list[TxAttempt], ports: ExecutionPorts) -> dict[int, Receipt]:
    found = ((item.pk, ports.reader.receipt(item.tx_hash)) for item in attempts)
    return {pk: receipt for pk, receipt in found if receipt is not None}


# -- mined --------------------------------------------------------------------------------
def _book(order: Order, attempt: TxAttempt, receipt: Receipt, ports: ExecutionPorts) -> None:
    """Book one mined transaction: its gas and, for a swap, what it moved, all in one transaction."""
    fill = None
    if attempt.purpose == "swap" and receipt.succeeded:
        fill = _fill_of(order, receipt, ports)
    with transaction.atomic():
        changed = TxAttempt.objects.filter(pk=attempt.pk, status__in=("signed", "sent")).update(
            status="mined" if receipt.succeeded else "reverted",
            seen_mined_at=timezone.now(),
            block_number=receipt.block.number,
            block_hash=receipt.block.hash,
            fee_paid_raw=receipt.fee_paid_raw,
            error="",
        )
        if not changed:  # another worker books it
            return
        _gas_book(order, attempt, receipt, ports.profile)
        TxAttempt.objects.filter(order=order, nonce=attempt.nonce, status__in=("signed", "sent")).exclude(
            pk=attempt.pk
        ).update(status="replaced")
        if fill is not None:
            fill_apply(order=order, attempt=attempt, fill=fill, profile=ports.profile)
            order.refresh_from_db()
            order_advance(order=order, after=OrderStatus.FILLED, reason="", foreign_nonce_block=None)
        elif order.side == "sell" and order.position is not None:
            order.position.fees_raw = fees_paid(order.position)
            order.position.save(update_fields=["fees_raw"])
    if attempt.purpose == "swap" and attempt.sent_by and PUBLIC not in attempt.sent_by:
        incident_resolve(dedup_key=_relay_incident(order))  # relays get us in again
    logger.info(
        "transaction was mined",
        extra={"order": order.pk, "purpose": attempt.purpose, "block": receipt.block.number},
    )


def _gas_book(order: Order, attempt: TxAttempt, receipt: Receipt, profile: ChainProfile) -> None:
    if receipt.fee_paid_raw == 0:
        return
    key, stands = standing_key(f"gas:{attempt.tx_hash}:{receipt.block.hash}")
    if stands:
        return
    entry_write(
        entry_key=key,
        kind="gas",
        description=f"Gas of {attempt.purpose} in order {order.client_order_id}",
        postings=ledger.gas_postings(
            wallet_key=order.wallet_key, fee=Amount(receipt.fee_paid_raw, profile.native)
        ),
        at=timezone.now(),
        trace_id=order.trace_id,
        usd_micros=native_worth(order, receipt.fee_paid_raw),
    )


def _fill_of(order: Order, receipt: Receipt, ports: ExecutionPorts) -> Fill:
    """Return what a swap really moved, from its transfers; from balances where a token's events do not tell."""
    owner, base = ports.signer.address(order.wallet_key), base_token(order)
    buys = order.side == "buy"
    try:
        moved_in, moved_out = fill_amounts(
            receipt,
            wallet=owner,
            base_address=base.address,
            wrapped_address=ports.profile.wrapped_native.address,
            pool_address=order.pair.pool_address,
            side="buy" if buys else "sell",
        )
    except BadDataError as error:
        incident_from_error(
            error, dedup_key=f"fill/{receipt.tx_hash}", trace_id=order.trace_id, severity="warning"
        )
        moved_in, moved_out = _amounts_without_events(order, receipt, owner, ports)
    native = ports.profile.native
    return Fill(
        trace_id=TraceId(order.trace_id),
        client_order_id=ClientOrderId(order.client_order_id),
        fill_key=f"{receipt.tx_hash}:{receipt.block.hash}",
        amount_in=Amount(moved_in, native if buys else base),
        amount_out=Amount(moved_out, base if buys else native),
        fee_native=Amount(receipt.fee_paid_raw, native),
        block=receipt.block,
    )


def _amounts_without_events(
    order: Order, receipt: Receipt, owner: str, ports: ExecutionPorts
) -> tuple[int, int]:
    """Return in and out of a swap whose token logs no honest transfers: chain balance against book."""
    token = base_token(order).address
    chain = ports.reader.balances(owner, [token]).get(token, 0)
    book = account_balance(
        account=ledger.wallet_account(order.wallet_key), chain_key=order.chain_key, token_address=token
    )
    if order.side == "buy":
        return order.amount_in_raw, max(chain - book, 0)
    wrapped, pool = ports.profile.wrapped_native.address.lower(), order.pair.pool_address.lower()
    moves = [item for item in receipt.transfers if item.token_address.lower() == wrapped]
    if order.way:  # other pools paid: the router unwrapped what they gave, last of all
        unwrapped = [item.amount_raw for item in moves if int(item.recipient, 16) == 0]
        paid = unwrapped[-1] if unwrapped else 0
    else:
        paid = sum(item.amount_raw for item in moves if item.sender.lower() == pool)
    return min(max(book - chain, 0), order.amount_in_raw), paid


def _conclude(order: Order) -> bool:
    """Give an order its end once every nonce of it is used; True when there is nothing left to ask."""
    rows = list(TxAttempt.objects.filter(order=order))
    status = OrderStatus(order.status)
    if status in FINAL_STATUSES:
        return not any(item.status in ("signed", "sent") for item in rows)
    if any(item.status in ("signed", "sent") for item in rows):
        return False
    swaps = [item for item in rows if item.purpose == "swap"]
    if any(item.status == "reverted" for item in swaps):
        after, reason = (
            OrderStatus.REVERTED,
            "the chain turned the swap down: the price moved or the token refused",
        )
    elif any(item.status == "mined" and item.purpose == "cancel" for item in rows):
        after, reason = OrderStatus.CANCELLED, order.reason or "it was replaced by a cancellation"
    else:
        return False
    order_advance(order=order, after=after, reason=reason, foreign_nonce_block=None)
    incident_resolve(dedup_key=f"nonce/{order.chain_key}/{order.wallet_key}")
    order.refresh_from_db()
    return True


# -- not mined ----------------------------------------------------------------------------
def _consumed_by_others(order: Order, pending: list[TxAttempt], consumed: int, ports: ExecutionPorts) -> bool:
    """Tell whether a nonce of ours was used by a transaction that is not ours; at depth the order is DROPPED."""
    foreign = [item for item in pending if item.nonce is not None and item.nonce < consumed]
    if not foreign:
        if order.foreign_nonce_block is not None:
            Order.objects.filter(pk=order.pk).update(foreign_nonce_block=None)
        return False
    head = ports.reader.head()
    if order.foreign_nonce_block is None:
        Order.objects.filter(pk=order.pk).update(foreign_nonce_block=head.number)
        return True
    if head.number < order.foreign_nonce_block + ports.profile.confirmation_depth:
        return True
    with transaction.atomic():
        TxAttempt.objects.filter(pk__in=[item.pk for item in foreign]).update(status="dropped")
        order.refresh_from_db()
        still_open = TxAttempt.objects.filter(order=order, status__in=("signed", "sent")).exists()
        if not still_open and OrderStatus(order.status) in IN_FLIGHT_STATUSES:
            order_advance(
                order=order,
                after=OrderStatus.DROPPED,
                reason="its nonce was used by a transaction that is not ours",
            )
    incident_from_error(
        NonceConflictError(
            f"A nonce of {order.wallet_key} was used by a transaction that is not ours.",
            remedy="Something else signs with this wallet's key: stop it, or move the funds to a new wallet.",
        ),
        dedup_key=f"nonce-conflict/{order.chain_key}/{order.wallet_key}",
        trace_id=order.trace_id,
        severity="critical",
    )
    return True


def _press(order: Order, pending: list[TxAttempt], ports: ExecutionPorts) -> None:
    """Help a transaction along: send the stored bytes again, or take its nonce when it must not come any more."""
    status, engine, now = OrderStatus(order.status), engine_view(), timezone.now()
    if status is OrderStatus.SIGNED:
        if any(_is_lately(item.signed_at, now, SEND_STALE_S) for item in pending):
            return
        # The worker was lost around the send: only the chain can say.
        order_advance(order=order, after=OrderStatus.UNKNOWN, reason="its worker ended around the send")
    if not engine.may_exit:
        return
    older = [item for item in pending if item.epoch != engine.epoch]
    is_lost = older and not all(ports.reader.is_known(item.tx_hash) for item in older)
    waited = _blocks_waited(pending, ports)
    is_over = _is_left_out(order, pending, waited, ports) or any(_is_overdue(item, now) for item in pending)
    if is_lost or order.is_extra or is_over:
        nonces = sorted({item.nonce for item in pending if item.nonce is not None})
        try:
            if nonces_cancel(order=order, nonces=nonces, epoch=engine.epoch, ports=ports):
                return
        except EpochClosedError:
            logger.info("cancellation waits for the engine", extra={"order": order.pk})
            return
    try:
        if order_replace(order=order, pending=pending, epoch=engine.epoch, ports=ports):
            return
    except EpochClosedError:
        logger.info("replacement waits for the engine", extra={"order": order.pk})
        return
    # Read anew: another worker may have stored a rival meanwhile.
    _rebroadcast(order, open_attempts(order), ports, epoch=engine.epoch, blocks_waited=waited)


def _blocks_waited(pending: list[TxAttempt], ports: ExecutionPorts) -> int:
    """Return for how many blocks the order's transactions have waited; asked only where relays make it matter."""
    blocks = [item.signed_block for item in pending if item.signed_block is not None]
    if not ports.relays or not blocks:
        return 0
    return max(ports.reader.head().number - min(blocks), 0)


def _is_left_out(order: Order, pending: list[TxAttempt], blocks_waited: int, ports: ExecutionPorts) -> bool:
    """Tell whether the relays had their blocks and nobody else may have the transaction; order and incident say so then."""
    keys, side = [relay.key for relay in ports.relays], _side_of(order)
    settings = active_config().config.execution
    if not are_relays_spent(keys, settings, side=side, blocks_waited=blocks_waited):
        return False
    if any(item.purpose == "cancel" for item in pending):  # said already
        return True
    if not order.reason:
        order.reason = f"no private relay got it into a block within {blocks_waited} blocks"
        Order.objects.filter(pk=order.pk, reason="").update(reason=order.reason)
    incident_open(
        code="RELAY_LEFT_OUT",
        category=Category.NETWORK,
        recovery=Recovery.RECONCILE,
        severity="critical" if side == "sell" else "warning",
        title=f"Private relays of {ports.profile.name} leave our transactions out",
        detail=f"Order {order.pk} to {side} is given up: {order.reason}.",
        remedy="Run 'manage.py doctor'. Switch the relay off or add another in the admin under Relays, or allow the public"
        " pool (execution.relay_leak_exits for sales alone, execution.relay_leak_public for all).",
        dedup_key=_relay_incident(order),
        trace_id=order.trace_id,
    )
    return True


def _relay_incident(order: Order) -> str:
    return f"relay/{order.chain_key}"


def _side_of(order: Order) -> Side:
    return "buy" if order.side == "buy" else "sell"


def _is_lately(at: datetime, now: datetime, seconds: int) -> bool:
    """Tell whether it was less than ``seconds`` ago. A moment far ahead is of a clock that was set back since."""
    return -timedelta(seconds=DEADLINE_MARGIN_S) <= now - at < timedelta(seconds=seconds)


def _is_overdue(attempt: TxAttempt, now: datetime) -> bool:
    deadline_s = active_config().config.execution.transaction_deadline_s
    return now > attempt.signed_at + timedelta(seconds=deadline_s + DEADLINE_MARGIN_S)


def _rebroadcast(
    order: Order, pending: list[TxAttempt], ports: ExecutionPorts, *, epoch: int, blocks_waited: int
) -> None:
    """Send stored bytes of the current epoch again, when the last send is long enough ago."""
    now = timezone.now()
    # Beside a cancellation the transaction that it is to replace must not be helped along.
    cancels = newest_by_nonce([item for item in pending if item.purpose == "cancel"])
    newest = cancels or newest_by_nonce(pending)
    due = [
        item
        for item in newest
        if item.epoch == epoch
        and not _is_lately(item.broadcast_at or item.signed_at, now, REBROADCAST_EVERY_S)
    ]
    if not due:
        return
    if cancels:
        cancellations_send(order=order, attempts=due, ports=ports)
        return
    error = attempts_send(
        order=order, attempts=due, side=_side_of(order), ports=ports, blocks_waited=blocks_waited
    )
    if error is None and len(due) == len(newest):
        order_transition(order_id=order.pk, before=OrderStatus.UNKNOWN, after=OrderStatus.SUBMITTED)


# -- finality and reorganisations ---------------------------------------------------------
def fills_finalise(*, chain_key: str, head_number: int, depth: int) -> int:
    """Mark fills final that lie at the chain's depth. Return how many."""
    rows = FillRecord.objects.filter(
        order__chain_key=chain_key, is_final=False, reversed_at=None, block_number__lte=head_number - depth
    )
    return (
        rows.update(is_final=True) if rows.exists() else 0
    )  # asked at every block: an idle write would hold up others


def fills_reverse(*, chain_key: str, above_block: int) -> tuple[int, ...]:
    """Book counter-entries for everything mined above ``above_block`` and ask about it anew; return the orders.

    For blocks that were reorganised away, final ones included: a chain may come back older than the book.
    """
    rows = TxAttempt.objects.filter(
        chain_key=chain_key, status__in=("mined", "reverted"), block_number__gt=above_block
    )
    order_ids = tuple(rows.order_by("order_id").values_list("order_id", flat=True).distinct())
    for order_id in order_ids:
        _order_reverse(order_id, above_block)
    if order_ids:
        incident_open(
            code="REORG_OF_FILLS",
            category=Category.NETWORK,
            recovery=Recovery.RECONCILE,
            severity="warning",
            title=f"{len(order_ids)} orders on {chain_key} lost their block",
            detail=f"Blocks above {above_block} are no longer part of the chain.",
            remedy="Nothing to do: the bookings were reversed and the chain is asked anew.",
            dedup_key=f"reorg/{chain_key}/{above_block}",
        )
    return order_ids


def fills_verify(*, chain_key: str, since_block: int, hashes_of: HashesOf) -> tuple[int, ...]:
    """Book back what was booked from a block that is not the one we have read at its height; return the orders.

    A receipt may come from a block that goes away again before the chain's reader has seen it: no fork shows then, and only
    the block's hash tells. ``hashes_of`` gives the hashes read so far from a height on. What is reversed is asked about anew.
    """
    rows = TxAttempt.objects.filter(
        chain_key=chain_key, status__in=("mined", "reverted"), block_number__gte=since_block
    )
    booked = list(rows.order_by("block_number").values_list("order_id", "block_number", "block_hash"))
    if not booked:
        return ()
    read = hashes_of(since_block)
    strays: dict[int, int] = {}
    for order_id, number, block_hash in booked:
        assert number is not None
        if number in read and read[number].lower() != block_hash.lower():
            strays.setdefault(order_id, number)
    for order_id, number in strays.items():
        _order_reverse(order_id, number - 1)
    if strays:
        incident_open(
            code="REORG_OF_FILLS",
            category=Category.NETWORK,
            recovery=Recovery.RECONCILE,
            severity="warning",
            title=f"{len(strays)} orders on {chain_key} were booked from blocks that are gone",
            detail=f"The blocks from {min(strays.values())} on are other ones than those of their receipts.",
            remedy="Nothing to do: the bookings were reversed and the chain is asked anew.",
            dedup_key=f"stray/{chain_key}/{min(strays.values())}",
        )
    return tuple(strays)


def _order_reverse(order_id: int, above_block: int) -> None:
    now, why = timezone.now(), f"its block above {above_block} was reorganised away"
    with transaction.atomic():
        order = Order.objects.select_related("pair").get(pk=order_id)
        # The position is locked before the book, as where fills are booked: neither waits for the other.
        list(Position.objects.select_for_update().filter(opportunity_id=order.opportunity_id))
        attempts = list(
            TxAttempt.objects.filter(
                order=order, status__in=("mined", "reverted"), block_number__gt=above_block
            )
        )
        for attempt in attempts:
            _reverse_entry(f"gas:{attempt.tx_hash}:{attempt.block_hash}", why, now)
            for fill in FillRecord.objects.filter(attempt=attempt, reversed_at=None).select_related(
                "position"
            ):
                _reverse_entry(f"fill:{fill.fill_key}", why, now)
                FillRecord.objects.filter(pk=fill.pk).update(reversed_at=now, is_final=False)
        nonces = [item.nonce for item in attempts]
        TxAttempt.objects.filter(order=order, nonce__in=nonces).exclude(status="dropped").update(
            status="sent", block_number=None, block_hash="", fee_paid_raw=None, seen_mined_at=None
        )
        revoking = TxAttempt.objects.filter(order=order).exclude(revocation=None)
        if set(nonces) <= set(revoking.values_list("nonce", flat=True)) or all(
            item.purpose == "approve" for item in attempts
        ):  # a revocation, or what cancelled it: the swap stands where it stood
            return
        status = OrderStatus(order.status)
        if status in FINAL_STATUSES:
            order_transition(order_id=order_id, before=status, after=OrderStatus.UNKNOWN, reason=why)
        _position_reverse(order)


def _reverse_entry(base_key: str, why: str, now: datetime) -> None:
    key, stands = standing_key(base_key)
    if stands:
        entry_reverse(entry=JournalEntry.objects.get(entry_key=key), reason=why, at=now)


def _position_reverse(order: Order) -> None:
    """Derive the position anew; a sale that is open again reserves its quantity again."""
    position_id = order.position_id
    if position_id is None:
        fills = FillRecord.objects.filter(order=order)
        position_id = fills.values_list("position_id", flat=True).first()
    if position_id is None:
        return
    position = Position.objects.select_for_update().get(pk=position_id)
    position_rebuild(position=position)
    if order.side == "sell":
        position.reserved_raw = min(position.reserved_raw + order.amount_in_raw, position.quantity_raw)
        position.save(update_fields=["reserved_raw"])


def settle_guarded(*, order_id: int, ports: ExecutionPorts) -> OrderStatus | None:
    """Settle an order; a surprise becomes an incident, so that the others are settled too. None then."""
    try:
        return order_settle(order_id=order_id, ports=ports)
    except SniperError as error:
        logger.warning("order was not settled", extra={"order": order_id, "code": error.code})
        incident_from_error(error, dedup_key=f"settle/{ports.profile.chain_key}/{error.code}")
        return None
