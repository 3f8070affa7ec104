"""Kept balances are the sums of the postings: after any entries, and whatever stood there before."""

from __future__ import annotations

from typing import Any

import pytest
from django.db import transaction
from django.utils import timezone
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from apps.domain.ids import NATIVE_ADDRESS, ChainKey
from apps.domain.money import Amount, Token
from apps.trading.logic import ledger
from apps.trading.models import AccountBalance, JournalEntry, Posting
from apps.trading.services.balances import balances_kept, balances_verify, postings_sums
from apps.trading.services.ledger import account_balances, entry_reverse, entry_write
from tests import factories

CHAIN = ChainKey("eip155:31337001")
WALLET = ledger.wallet_account("trader")
TOKENS = [Token(CHAIN, NATIVE_ADDRESS, "ETH", 18), Token(CHAIN, "0x" + "a" * 40, "AAA", 9)]


def write(key: str, token: Token, raw: int) -> None:
    """Book a deposit of ``raw``, a withdrawal when it is negative."""
    build = ledger.deposit_postings if raw >= 0 else ledger.withdrawal_postings
    with transaction.atomic():
        entry_write(
            entry_key=key,
            kind="adjust",
            description="test",
            postings=build(wallet_key="trader", amount=Amount(abs(raw), token)),
            at=timezone.now(),
        )


def summed() -> dict[str, int]:
    return postings_sums(Posting.objects.filter(account=WALLET, chain_key=CHAIN))


@settings(max_examples=25, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(moves=st.lists(st.tuples(st.sampled_from(TOKENS), st.integers(-(2**200), 2**200)), max_size=8))
def test_any_entries_then_kept_balances_are_their_sums(db: Any, moves: list[tuple[Token, int]]):
    AccountBalance.objects.all().delete()
    Posting.objects.all().delete()
    JournalEntry.objects.all().delete()
    for number, (token, raw) in enumerate(moves):
        write(f"adjust:{number}", token, raw)
        write(f"adjust:{number}", token, raw)  # the same entry again changes nothing
    assert account_balances(account=WALLET, chain_key=CHAIN) == summed()
    assert balances_verify() == ()


@pytest.mark.django_db
def test_entry_reversed_then_the_balance_returns():
    write("adjust:1", TOKENS[0], 100)
    write("adjust:2", TOKENS[0], 7)
    entry_reverse(entry=JournalEntry.objects.get(entry_key="adjust:2"), reason="gone", at=timezone.now())
    assert account_balances(account=WALLET, chain_key=CHAIN) == {NATIVE_ADDRESS: 100}


@pytest.mark.django_db
def test_journal_older_than_the_kept_balances_then_it_is_counted_in():
    factories.PostingFactory(account=WALLET, chain_key=CHAIN, amount_raw=50)
    factories.PostingFactory(
        account=WALLET, chain_key=CHAIN, token_address=TOKENS[1].address, amount_raw=9, side="credit"
    )
    assert account_balances(account=WALLET, chain_key=CHAIN) == {NATIVE_ADDRESS: 50, TOKENS[1].address: -9}
    write("adjust:1", TOKENS[0], 5)
    assert balances_kept(account=WALLET, chain_key=CHAIN) == {NATIVE_ADDRESS: 55, TOKENS[1].address: -9}


@pytest.mark.django_db
def test_entry_that_is_rolled_back_then_its_balance_is_too():
    write("adjust:1", TOKENS[0], 5)
    with transaction.atomic():
        write("adjust:2", TOKENS[0], 5)
        transaction.set_rollback(True)
    assert account_balances(account=WALLET, chain_key=CHAIN) == {NATIVE_ADDRESS: 5}


@pytest.mark.django_db
def test_kept_balance_that_is_wrong_then_verifying_names_and_corrects_it():
    write("adjust:1", TOKENS[0], 5)
    AccountBalance.objects.update(balance_raw=6)
    [fault] = balances_verify()
    assert (fault.kept_raw, fault.summed_raw) == (6, 5)
    assert account_balances(account=WALLET, chain_key=CHAIN) == {NATIVE_ADDRESS: 5}
    assert balances_verify() == ()
