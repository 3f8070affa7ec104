"""Builders of balanced entries: for each token the debits of an entry equal its credits.

An account holds its debits less its credits, so a wallet's postings of a token add up to its chain balance.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Literal

from apps.domain.ids import PairKey, WalletKey
from apps.domain.money import Amount, Token
from apps.domain.position import Posting

FEES_GAS = "fees:gas"
EQUITY_DEPOSITS = "equity:deposits"
EQUITY_AIRDROP = "equity:airdrop"
LOSS_UNACCOUNTED = "loss:unaccounted"


def wallet_account(wallet_key: WalletKey | str) -> str:
    """Return the account of a wallet."""
    return f"wallet:{wallet_key}"


def market_account(pair_key: PairKey | str) -> str:
    """Return the account of a pool: the other side of every swap."""
    return f"market:{pair_key}"


def moved(amount: Amount, *, source: str, target: str) -> tuple[Posting, Posting]:
    """Return the two postings that move ``amount`` from one account to another."""
    assert source != target, source
    return (
        Posting(account=target, side="debit", amount=amount),
        Posting(account=source, side="credit", amount=amount),
    )


def fill_postings(
    *, wallet_key: str, pair_key: str, amount_in: Amount, amount_out: Amount
) -> tuple[Posting, ...]:
    """Return the postings of a swap: what left the wallet went to the market, what the market gave reached it."""
    wallet, market = wallet_account(wallet_key), market_account(pair_key)
    return moved(amount_in, source=wallet, target=market) + moved(amount_out, source=market, target=wallet)


def gas_postings(*, wallet_key: str, fee: Amount) -> tuple[Posting, ...]:
    """Return the postings of gas paid."""
    return moved(fee, source=wallet_account(wallet_key), target=FEES_GAS)


def deposit_postings(*, wallet_key: str, amount: Amount) -> tuple[Posting, ...]:
    """Return the postings of coins that a person put in."""
    return moved(amount, source=EQUITY_DEPOSITS, target=wallet_account(wallet_key))


def withdrawal_postings(*, wallet_key: str, amount: Amount) -> tuple[Posting, ...]:
    """Return the postings of coins that a person took out."""
    return moved(amount, source=wallet_account(wallet_key), target=EQUITY_DEPOSITS)


def adjustment_postings(*, wallet_key: str, token: Token, difference_raw: int) -> tuple[Posting, ...]:
    """Return the postings that make the book true again: ``difference_raw`` is chain less book."""
    assert difference_raw != 0
    wallet, amount = wallet_account(wallet_key), Amount(abs(difference_raw), token)
    if difference_raw > 0:
        return moved(amount, source=EQUITY_AIRDROP, target=wallet)
    return moved(amount, source=wallet, target=LOSS_UNACCOUNTED)


def reversed_postings(postings: Iterable[Posting]) -> tuple[Posting, ...]:
    """Return the counter-entry: every side turned over."""
    turned: dict[str, Literal["debit", "credit"]] = {"debit": "credit", "credit": "debit"}
    return tuple(
        Posting(account=item.account, side=turned[item.side], amount=item.amount) for item in postings
    )


def imbalance(postings: Iterable[Posting]) -> dict[tuple[str, str], int]:
    """Return debits less credits by (chain, token) where they differ: empty for a balanced entry."""
    sums: dict[tuple[str, str], int] = {}
    for item in postings:
        key = (item.amount.token.chain_key, item.amount.token.address)
        sums[key] = sums.get(key, 0) + signed_raw(item)
    return {key: value for key, value in sums.items() if value}


def signed_raw(posting: Posting) -> int:
    """Return the posting's effect on its account."""
    return posting.amount.raw if posting.side == "debit" else -posting.amount.raw
