"""What others may take of our tokens: the approvals that we signed, and what is left of them on chain."""

from __future__ import annotations

import logging
import time
from dataclasses import dataclass

from django.db import transaction
from django.utils import timezone

from apps.domain.errors import BroadcastUncertainError, NetworkError, SniperError, TradingError
from apps.domain.events import EventKind
from apps.domain.ids import WalletKey
from apps.domain.market import Receipt
from apps.domain.money import Amount
from apps.domain.order import UnsignedTx
from apps.state.services.engine import engine_view
from apps.state.services.events import event_record
from apps.trading.logic import ledger
from apps.trading.logic.gas import limit_with_data
from apps.trading.models import TxAttempt
from apps.trading.services.ledger import entry_write
from apps.trading.services.ports import ExecutionPorts
from apps.trading.services.reconciliation import wallet_is_busy
from apps.wallets.services.nonces import nonces_return, nonces_take

logger = logging.getLogger(__name__)

#: Newest first; older ones were exact amounts that their sales used up.
APPROVALS_MAX = 200


#: approve(address,uint256), and the twelve zero bytes before an address.
APPROVE_SELECTOR = bytes.fromhex("095ea7b3")
_PADDING = bytes(12)
_ADDRESS_BYTES = 20
#: A hostile token may ask for more; then its revocation fails, and costs no more than this.
REVOKE_GAS_LIMIT = 150_000
REVOKE_WAIT_S = 120.0
_LOOK_EVERY_S = 0.5


@dataclass(frozen=True, slots=True, kw_only=True)
class Allowance:
    """What ``spender`` may take of a token of the wallet now."""

    chain_key: str
    wallet_key: str
    token_address: str
    symbol: str
    spender: str
    amount_raw: int


def allowances_compare(*, chain_key: str, wallet_key: str, ports: ExecutionPorts) -> tuple[Allowance, ...]:
    """Return what is left on chain of each approval that was mined, zeros included. Raises NetworkError."""
    rows = TxAttempt.objects.filter(
        chain_key=chain_key, wallet_key=wallet_key, purpose="approve", status="mined"
    ).select_related("order__pair__base")
    owner = ports.signer.address(wallet_key)
    found: dict[tuple[str, str], Allowance] = {}
    for row in rows.order_by("-id")[:APPROVALS_MAX]:
        pair = row.order.pair
        spender = spender_of(bytes(row.payload))
        if not spender or (pair.base.address, spender) in found:
            continue
        found[pair.base.address, spender] = Allowance(
            chain_key=chain_key,
            wallet_key=wallet_key,
            token_address=pair.base.address,
            symbol=pair.base.symbol,
            spender=spender,
            amount_raw=ports.reader.allowance(owner, spender, pair.base.address),
        )
    return tuple(found.values())


def spender_of(payload: bytes) -> str:
    """Return whom a stored approval's bytes name, in lower case; "" when they hold none."""
    place = payload.find(APPROVE_SELECTOR + _PADDING)
    if place < 0:
        return ""
    start = place + len(APPROVE_SELECTOR) + len(_PADDING)
    return "0x" + payload[start : start + _ADDRESS_BYTES].hex()


def allowance_revoke(
    *,
    wallet_key: str,
    token_address: str,
    spender: str,
    ports: ExecutionPorts,
    by: str,
    wait_s: float = REVOKE_WAIT_S,
) -> str:
    """Take back what ``spender`` may take of a token; return the transaction's hash when the chain has it.

    It spends gas alone, which is booked. Raises TradingError when it failed, NetworkError when it was not mined in time.
    """
    chain_key = ports.profile.chain_key
    if wallet_is_busy(chain_key, wallet_key, None):
        raise TradingError("Orders of this wallet are on their way.", remedy="Try again in a minute.")
    owner = ports.signer.address(wallet_key)
    fees = ports.reader.fees()
    chain_nonce = ports.reader.transaction_count(owner, pending=True)
    with transaction.atomic():
        nonce = nonces_take(wallet_key=wallet_key, chain_key=chain_key, count=1, chain_nonce=chain_nonce)
    data = APPROVE_SELECTOR + _PADDING + bytes.fromhex(spender.removeprefix("0x")) + bytes(32)
    try:
        signed = ports.signer.sign(
            UnsignedTx(
                chain_key=chain_key,
                wallet_key=WalletKey(wallet_key),
                purpose="approve",
                nonce=nonce,
                to=token_address,
                value_raw=0,
                data=data,
                gas_limit=limit_with_data(REVOKE_GAS_LIMIT, fees),
                max_fee_wei=fees.max_fee_wei,
                tip_wei=fees.tip_wei,
            ),
            client_order_id=f"revoke:{token_address}"[:80],
            epoch=engine_view().epoch,
        )
    except SniperError:
        nonces_return(wallet_key=wallet_key, chain_key=chain_key, first=nonce, count=1)
        raise
    event_record(
        kind=EventKind.KEY_USED,
        summary=f"Approval of {token_address} for {spender} is being revoked",
        actor=by,
        subject=f"wallet:{wallet_key}",
        payload={"tx_hash": signed.tx_hash, "nonce": nonce},
    )
    try:
        ports.sender.broadcast(signed, side="sell")
    except BroadcastUncertainError:
        logger.warning("a revocation may have been sent", extra={"tx_hash": signed.tx_hash})
    receipt = _awaited(ports, signed.tx_hash, wait_s)
    _gas_of_revocation(ports, wallet_key, receipt)
    if not receipt.succeeded:
        raise TradingError(
            f"The token refused to take its approval back ({signed.tx_hash}).",
            remedy="Sell or write off what the wallet holds of it; other tokens are not concerned.",
        )
    return signed.tx_hash


def _awaited(ports: ExecutionPorts, tx_hash: str, wait_s: float) -> Receipt:
    deadline = time.monotonic() + wait_s
    while True:
        receipt = ports.reader.receipt(tx_hash)
        if receipt is not None:
            return receipt
        if time.monotonic() >= deadline:
            raise NetworkError(
                f"The revocation {tx_hash} was not mined within {wait_s:.0f} s.",
                remedy="Look for it on the chain. When it is mined, its gas makes book and chain differ: book it with"
                " 'manage.py ledger accept'.",
            )
        time.sleep(_LOOK_EVERY_S)


def _gas_of_revocation(ports: ExecutionPorts, wallet_key: str, receipt: Receipt) -> None:
    if receipt.fee_paid_raw == 0:
        return
    with transaction.atomic():
        entry_write(
            entry_key=f"gas:{receipt.tx_hash}:{receipt.block.hash}",
            kind="gas",
            description="Gas of an approval that was taken back",
            postings=ledger.gas_postings(
                wallet_key=wallet_key, fee=Amount(receipt.fee_paid_raw, ports.profile.native)
            ),
            at=timezone.now(),
        )
