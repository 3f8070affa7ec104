"""The rows of paper trading: what was "sent", how it went, what each wallet holds."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from django.db import IntegrityError, transaction
from django.db.models import Max
from django.utils import timezone

from apps.chains.models import PaperBalance, PaperTransaction
from apps.chains.paper.marker import Marker, marker_decode
from apps.domain.ids import NATIVE_ADDRESS, ChainKey
from apps.domain.market import BlockRef, Receipt, TokenTransfer
from apps.domain.order import SignedTx

#: Transactions of one wallet that may wait before another: more are settled at the next look.
WAITING_MAX = 50


class PaperAccount:
    """The paper wallets of one chain. Every wallet begins with ``starting_native_raw`` coins."""

    def __init__(self, chain_key: ChainKey, *, starting_native_raw: int) -> None:
        self._chain_key = chain_key
        self._starting_native_raw = starting_native_raw

    def balances(self, owner: str, token_addresses: Sequence[str]) -> Mapping[str, int]:
        """Return raw balances by the address as given; of a token never held, zero."""
        rows = PaperBalance.objects.filter(
            chain_key=self._chain_key,
            owner=owner.lower(),
            token_address__in={address.lower() for address in token_addresses},
        )
        held = dict(rows.values_list("token_address", "amount_raw"))
        if NATIVE_ADDRESS in token_addresses and NATIVE_ADDRESS not in held:
            held[NATIVE_ADDRESS] = self._open(owner.lower())
        return {address: held.get(address.lower(), 0) for address in token_addresses}

    def transaction_count(self, owner: str, *, pending: bool) -> int:
        """Return the next nonce, with or without the transactions that wait."""
        rows = PaperTransaction.objects.filter(chain_key=self._chain_key, owner=owner.lower())
        if not pending:
            rows = rows.filter(status__in=("mined", "reverted"))
        newest = rows.aggregate(newest=Max("nonce"))["newest"]
        return 0 if newest is None else newest + 1

    def is_known(self, tx_hash: str) -> bool:
        """Tell whether it was sent."""
        return PaperTransaction.objects.filter(tx_hash=tx_hash).exists()

    def take(self, tx: SignedTx, *, fill_block_number: int) -> None:
        """Store a transaction as sent; one that is known already changes nothing."""
        marker = marker_decode(tx.payload)
        try:
            with transaction.atomic():
                PaperTransaction.objects.create(
                    chain_key=self._chain_key,
                    owner=marker.owner,
                    nonce=marker.nonce,
                    tx_hash=tx.tx_hash,
                    payload=tx.payload,
                    sent_at=timezone.now(),
                    fill_block_number=fill_block_number,
                    pair_key="" if marker.swap is None else marker.swap.pair_key,
                )
        except IntegrityError:
            if not self.is_known(tx.tx_hash):
                raise

    def waiting_until(self, row: PaperTransaction) -> tuple[PaperTransaction, ...]:
        """Return what must be settled up to and with ``row``, in the order of nonces; a replacement before the replaced."""
        rows = PaperTransaction.objects.filter(
            chain_key=self._chain_key, owner=row.owner, status="waiting", nonce__lte=row.nonce
        )
        return tuple(rows.order_by("nonce", "-id")[:WAITING_MAX])

    def sell_tax_bps(self, pair_key: str) -> int | None:
        """Return the sell tax that was measured last when this pair was traded, None when never."""
        rows = PaperTransaction.objects.filter(pair_key=pair_key, sell_tax_bps__isnull=False)
        return rows.order_by("-id").values_list("sell_tax_bps", flat=True).first()

    def move_block(self, row: PaperTransaction, block: BlockRef) -> None:
        """Put a settled transaction into another block: its own was reorganised away, and on paper its fill stands."""
        row.block_number, row.block_hash, row.block_at_ms = block.number, block.hash, block.at_ms
        row.save(update_fields=["block_number", "block_hash", "block_at_ms"])

    def settle(
        self,
        row: PaperTransaction,
        marker: Marker,
        *,
        block: BlockRef,
        gas_used: int,
        fee_paid_raw: int,
        transfers: tuple[TokenTransfer, ...] = (),
        sell_tax_bps: int | None = None,
        reason: str = "",
    ) -> None:
        """Write down how a waiting transaction went and move the balances, once."""
        with transaction.atomic():
            changed = PaperTransaction.objects.filter(pk=row.pk, status="waiting").update(
                status="reverted" if reason else "mined",
                block_number=block.number,
                block_hash=block.hash,
                block_at_ms=block.at_ms,
                gas_used=gas_used,
                fee_paid_raw=fee_paid_raw,
                transfers=[
                    [move.token_address, move.sender, move.recipient, str(move.amount_raw)]
                    for move in transfers
                ],
                sell_tax_bps=sell_tax_bps,
                reason=reason[:300],
            )
            if not changed:
                return
            PaperTransaction.objects.filter(
                chain_key=self._chain_key, owner=row.owner, nonce=row.nonce, status="waiting"
            ).update(status="replaced")
            self._move(marker.owner, NATIVE_ADDRESS, -fee_paid_raw)
            for token, change in _changes(marker, transfers):
                self._move(marker.owner, token, change)

    def _move(self, owner: str, token_address: str, change: int) -> None:
        token = token_address.lower()
        row, _ = PaperBalance.objects.select_for_update().get_or_create(
            chain_key=self._chain_key,
            owner=owner,
            token_address=token,
            defaults={"amount_raw": self._starting_native_raw if token == NATIVE_ADDRESS else 0},
        )
        # Gas is paid out of what is there: the sender saw to it that it suffices.
        row.amount_raw = max(row.amount_raw + change, 0)
        row.save(update_fields=["amount_raw"])

    def _open(self, owner: str) -> int:
        """Write down a wallet's first coins: the book rests on them, so a later setting must not change them."""
        row, _ = PaperBalance.objects.get_or_create(
            chain_key=self._chain_key,
            owner=owner,
            token_address=NATIVE_ADDRESS,
            defaults={"amount_raw": self._starting_native_raw},
        )
        return row.amount_raw


def receipt_of(row: PaperTransaction) -> Receipt | None:
    """Return a settled transaction as a receipt, None while it waits or when another took its nonce."""
    if row.block_number is None:
        return None
    assert row.block_at_ms is not None
    assert row.gas_used is not None
    assert row.fee_paid_raw is not None
    return Receipt(
        tx_hash=row.tx_hash,
        succeeded=row.status == "mined",
        block=BlockRef(row.block_number, row.block_hash, row.block_at_ms),
        gas_used=row.gas_used,
        fee_paid_raw=row.fee_paid_raw,
        transfers=tuple(
            TokenTransfer(
                token_address=token,
                sender=sender,
                recipient=recipient,
                amount_raw=int(amount),
                log_index=index,
            )
            for index, (token, sender, recipient, amount) in enumerate(row.transfers)
        ),
    )


def _changes(marker: Marker, transfers: tuple[TokenTransfer, ...]) -> list[tuple[str, int]]:
    """Return what a fill changes in the wallet: coins for tokens or tokens for coins."""
    if marker.swap is None or not transfers:
        return []
    first, last = transfers[0], transfers[-1]
    if marker.swap.side == "buy":
        return [(NATIVE_ADDRESS, -first.amount_raw), (last.token_address, last.amount_raw)]
    return [(first.token_address, -first.amount_raw), (NATIVE_ADDRESS, last.amount_raw)]
