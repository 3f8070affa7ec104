"""The journal: append-only balanced entries, each written once; a correction is a counter-entry."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from datetime import datetime

from apps.domain.errors import PlatformError
from apps.domain.ids import ChainKey
from apps.domain.money import Amount, Token
from apps.domain.position import Posting as PostingValue
from apps.trading.logic import ledger
from apps.trading.models import JournalEntry, Posting
from apps.trading.services.balances import balances_apply, balances_kept, postings_sums

#: So many times one transaction's block may vanish and come back.
REBOOKINGS_MAX = 50
#: Symbols and decimals are not kept with postings; a balance needs neither.
_ANY_DECIMALS = 0


class LedgerImbalanceError(PlatformError):
    """An entry's debits and credits differ: nothing may go on until a person has looked."""

    code = "LEDGER_IMBALANCE"


def entry_write(
    *,
    entry_key: str,
    kind: str,
    description: str,
    postings: Sequence[PostingValue],
    at: datetime,
    trace_id: str = "",
    usd_micros: int | None = None,
) -> bool:
    """Write an entry in the caller's transaction; False when it stands already.

    ``usd_micros`` is what each posting of native coin is worth at booking. Raises LedgerImbalanceError.
    """
    differences = ledger.imbalance(postings)
    if differences:
        raise LedgerImbalanceError(
            f"journal entry {entry_key} does not balance",
            remedy="This is a fault of the program: stop the engine and report it.",
            entry=entry_key,
        )
    entry, created = JournalEntry.objects.get_or_create(
        entry_key=entry_key,
        defaults={"kind": kind, "trace_id": trace_id, "description": description[:300], "at": at},
    )
    if not created:
        return False
    balances_apply(postings)
    Posting.objects.bulk_create(
        Posting(
            entry=entry,
            account=item.account,
            side=item.side,
            chain_key=item.amount.token.chain_key,
            token_address=item.amount.token.address,
            amount_raw=item.amount.raw,
            usd_micros=usd_micros if item.amount.token.is_native else None,
        )
        for item in postings
    )
    return True


def entry_reverse(*, entry: JournalEntry, reason: str, at: datetime) -> bool:
    """Write the counter-entry of ``entry``; False when it stands already."""
    rows = list(entry.postings.all())
    return entry_write(
        entry_key=f"reversal:{entry.entry_key}",
        kind="reversal",
        description=f"Reversal of {entry.entry_key}: {reason}",
        postings=ledger.reversed_postings(_value(row) for row in rows),
        at=at,
        trace_id=entry.trace_id,
        usd_micros=next((row.usd_micros for row in rows if row.usd_micros is not None), None),
    )


def standing_key(base_key: str) -> tuple[str, bool]:
    """Return the key under which a booking stands or has to be written, and whether it stands.

    A block that was reorganised away may come back: the booking is then written anew under the next number.
    """
    key = base_key
    for number in range(2, REBOOKINGS_MAX + 2):
        written = set(
            JournalEntry.objects.filter(entry_key__in=(key, f"reversal:{key}")).values_list(
                "entry_key", flat=True
            )
        )
        if key not in written:
            return key, False
        if len(written) == 1:
            return key, True
        key = f"{base_key}#{number}"
    raise LedgerImbalanceError(
        f"{base_key} was booked and reversed {REBOOKINGS_MAX} times",
        remedy="The chain flips between two histories: check its endpoints with 'manage.py doctor'.",
    )


def account_balances(*, account: str, chain_key: str) -> dict[str, int]:
    """Return an account's balances by token address, zeros left out; a wallet's without reading its postings."""
    kept = balances_kept(account=account, chain_key=chain_key)
    return (
        postings_sums(Posting.objects.filter(account=account, chain_key=chain_key)) if kept is None else kept
    )


def account_balance(*, account: str, chain_key: str, token_address: str) -> int:
    """Return an account's balance of one token. Sums are made in Python: SQLite's numbers would lose digits."""
    kept = balances_kept(account=account, chain_key=chain_key)
    if kept is not None:
        return kept.get(token_address, 0)
    rows = Posting.objects.filter(account=account, chain_key=chain_key, token_address=token_address)
    return postings_sums(rows).get(token_address, 0)


def books_imbalance() -> dict[tuple[str, str], int]:
    """Return debits less credits of the whole journal by (chain, token) where they differ: empty when it balances."""
    sums: dict[tuple[str, str], int] = defaultdict(int)
    rows = Posting.objects.values_list("chain_key", "token_address", "side", "amount_raw")
    for chain_key, token_address, side, amount in rows.iterator(chunk_size=5_000):
        sums[chain_key, token_address] += amount if side == "debit" else -amount
    return {key: value for key, value in sums.items() if value}


def _value(row: Posting) -> PostingValue:
    token = Token(
        chain_key=ChainKey(row.chain_key), address=row.token_address, symbol="", decimals=_ANY_DECIMALS
    )
    return PostingValue(
        account=row.account,
        side="debit" if row.side == "debit" else "credit",
        amount=Amount(row.amount_raw, token),
    )
