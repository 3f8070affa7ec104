"""What wallets hold by the book, kept beside the postings so that no question reads the whole journal."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass

from django.db import transaction
from django.db.models import Q, QuerySet

from apps.domain.ids import NATIVE_ADDRESS
from apps.domain.position import Posting as PostingValue
from apps.trading.logic import ledger
from apps.trading.models import AccountBalance, Posting

_CHUNK = 5_000


@dataclass(frozen=True, slots=True, kw_only=True)
class BalanceFault:
    """A kept balance that its postings do not add up to."""

    account: str
    chain_key: str
    token_address: str
    kept_raw: int
    summed_raw: int


def balances_kept(*, account: str, chain_key: str) -> dict[str, int] | None:
    """Return the kept balances by token address, zeros left out; None for an account of which none are kept."""
    if not account.startswith(ledger.wallet_account("")):
        return None
    rows = AccountBalance.objects.filter(account=account, chain_key=chain_key)
    found = list(
        rows.filter(~Q(balance_raw=0) | Q(token_address=NATIVE_ADDRESS))
    )  # the coin's row tells that they are
    if not found:
        return None
    return {row.token_address: _signed(row) for row in found if row.balance_raw}


def balances_apply(postings: Iterable[PostingValue]) -> None:
    """Add postings that are about to be written to the kept balances, in the caller's transaction.

    The coin's row is locked before any other, so that two entries of one wallet never wait for each other.
    """
    changes: dict[tuple[str, str], dict[str, int]] = defaultdict(lambda: defaultdict(int))
    for item in postings:
        if item.account.startswith(ledger.wallet_account("")):
            token = item.amount.token
            changes[item.account, token.chain_key][token.address] += ledger.signed_raw(item)
    for (account, chain_key), by_token in sorted(changes.items()):
        _open(account, chain_key)
        _lock(account, chain_key, NATIVE_ADDRESS)
        for token_address in sorted(by_token):
            row = _lock(account, chain_key, token_address)
            _store(row, _signed(row) + by_token[token_address])


def balances_verify() -> tuple[BalanceFault, ...]:
    """Compare every kept balance with its postings, correct what differs and return it. One transaction."""
    faults: list[BalanceFault] = []
    with transaction.atomic():
        kept = AccountBalance.objects.order_by().values_list("account", "chain_key").distinct()
        for account, chain_key in sorted(kept):
            _lock(account, chain_key, NATIVE_ADDRESS)  # nothing is booked meanwhile
            sums = postings_sums(Posting.objects.filter(account=account, chain_key=chain_key))
            rows = AccountBalance.objects.filter(account=account, chain_key=chain_key)
            for token_address in sorted({*sums, *rows.values_list("token_address", flat=True)}):
                row = _lock(account, chain_key, token_address)
                summed = sums.get(token_address, 0)
                if _signed(row) != summed:
                    faults.append(
                        BalanceFault(
                            account=account,
                            chain_key=chain_key,
                            token_address=token_address,
                            kept_raw=_signed(row),
                            summed_raw=summed,
                        )
                    )
                    _store(row, summed)
    return tuple(faults)


def postings_sums(rows: QuerySet[Posting]) -> dict[str, int]:
    """Return debits less credits by token address, zeros left out. Made in Python: SQLite would lose digits."""
    sums: dict[str, int] = defaultdict(int)
    values = rows.order_by().values_list("token_address", "side", "amount_raw")
    for token_address, side, amount in values.iterator(chunk_size=_CHUNK):
        sums[token_address] += amount if side == "debit" else -amount
    return {token: value for token, value in sums.items() if value}


def _open(account: str, chain_key: str) -> None:
    """Begin to keep an account's balances: what stands in the journal so far is read once."""
    if AccountBalance.objects.filter(account=account, chain_key=chain_key).exists():
        return
    sums = postings_sums(Posting.objects.filter(account=account, chain_key=chain_key))
    AccountBalance.objects.bulk_create(
        [
            AccountBalance(
                account=account,
                chain_key=chain_key,
                token_address=token_address,
                balance_raw=abs(sums.get(token_address, 0)),
                is_negative=sums.get(token_address, 0) < 0,
            )
            for token_address in sorted(
                {NATIVE_ADDRESS, *sums}, key=lambda item: (item != NATIVE_ADDRESS, item)
            )
        ],
        ignore_conflicts=True,  # another worker was quicker, and counted the same
    )


def _lock(account: str, chain_key: str, token_address: str) -> AccountBalance:
    row, _ = AccountBalance.objects.select_for_update().get_or_create(
        account=account, chain_key=chain_key, token_address=token_address
    )
    return row


def _signed(row: AccountBalance) -> int:
    return -row.balance_raw if row.is_negative else row.balance_raw


def _store(row: AccountBalance, value: int) -> None:
    row.balance_raw, row.is_negative = abs(value), value < 0
    row.save(update_fields=["balance_raw", "is_negative"])
