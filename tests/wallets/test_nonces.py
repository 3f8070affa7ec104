"""Nonces: each given out once, without gaps, whoever asks at the same time."""

from __future__ import annotations

import threading

import pytest
from django.db import connection, transaction
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from apps.domain.errors import NonceConflictError
from apps.wallets.models import Wallet
from apps.wallets.services.nonces import nonces_next, nonces_return, nonces_sync, nonces_take
from tests.factories import CHAIN_KEY, NonceLeaseFactory, WalletFactory


def take(count: int = 1, chain_nonce: int | None = None) -> int:
    with transaction.atomic():
        return nonces_take(wallet_key="trader", chain_key=CHAIN_KEY, count=count, chain_nonce=chain_nonce)


def give_back(first: int, count: int = 1) -> bool:
    return nonces_return(wallet_key="trader", chain_key=CHAIN_KEY, first=first, count=count)


def next_one() -> int | None:
    return nonces_next(wallet_key="trader", chain_key=CHAIN_KEY)


@pytest.fixture
def wallet(db: None) -> None:
    WalletFactory(key="trader")


def test_take_when_first_then_starts_at_the_chain_count(wallet: None) -> None:
    assert next_one() is None
    assert take(2, chain_nonce=5) == 5
    assert take() == 7
    assert take(chain_nonce=6) == 8  # the chain is behind: ours are on their way


def test_take_when_first_and_chain_count_unknown_then_refused(wallet: None) -> None:
    with pytest.raises(NonceConflictError):
        take()


def test_take_when_chain_is_ahead_then_conflict_with_remedy(wallet: None) -> None:
    take(chain_nonce=5)
    with pytest.raises(NonceConflictError) as raised:
        take(chain_nonce=7)
    assert "Something else signs" in raised.value.remedy
    assert next_one() == 6


def test_take_when_transaction_is_rolled_back_then_nonce_is_free_again(wallet: None) -> None:
    take(chain_nonce=5)
    with transaction.atomic():
        nonces_take(wallet_key="trader", chain_key=CHAIN_KEY, count=1, chain_nonce=None)
        transaction.set_rollback(True)
    assert next_one() == 6


def test_return_when_still_last_then_given_out_again(wallet: None) -> None:
    first = take(2, chain_nonce=0)
    assert give_back(first, 2)
    assert take() == first


def test_return_when_later_ones_are_out_then_refused(wallet: None) -> None:
    first = take(chain_nonce=0)
    take()
    assert not give_back(first)
    assert next_one() == 2


def test_sync_when_nothing_was_taken_since_then_follows_the_chain(wallet: None) -> None:
    NonceLeaseFactory(wallet__key="other", next_nonce=99)
    assert nonces_sync(wallet_key="trader", chain_key=CHAIN_KEY, chain_nonce=4, expected_next=None)
    assert nonces_sync(wallet_key="trader", chain_key=CHAIN_KEY, chain_nonce=9, expected_next=4)
    assert next_one() == 9
    assert nonces_next(wallet_key="other", chain_key=CHAIN_KEY) == 99


def test_sync_when_a_nonce_was_taken_since_then_changes_nothing(wallet: None) -> None:
    take(chain_nonce=4)
    expected = next_one()
    take()
    assert not nonces_sync(wallet_key="trader", chain_key=CHAIN_KEY, chain_nonce=4, expected_next=expected)
    assert not nonces_sync(wallet_key="trader", chain_key=CHAIN_KEY, chain_nonce=4, expected_next=None)
    assert next_one() == 6


@pytest.mark.django_db
@settings(max_examples=40, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.lists(st.tuples(st.sampled_from(["take", "return"]), st.integers(1, 3)), max_size=12))
def test_nonces_when_taken_and_returned_in_any_order_then_none_is_out_twice(
    acts: list[tuple[str, int]],
) -> None:
    Wallet.objects.all().delete()  # examples share the test's transaction
    NonceLeaseFactory(wallet__key="trader")
    out: list[tuple[int, int]] = []
    for act, count in acts:
        if act == "take":
            out.append((take(count), count))
        elif out:
            first, taken = out[0 if count == 1 else -1]
            if give_back(first, taken):
                out.remove((first, taken))
    numbers = [first + step for first, count in out for step in range(count)]
    assert len(numbers) == len(set(numbers))
    assert all(number < (next_one() or 0) for number in numbers)


@pytest.mark.django_db(transaction=True)
def test_take_when_many_workers_ask_then_all_get_different_ones() -> None:
    NonceLeaseFactory(wallet__key="trader")
    taken: list[int] = []

    def work() -> None:
        taken.extend(take() for _ in range(10))
        connection.close()

    workers = [threading.Thread(target=work) for _ in range(4)]
    for worker in workers:
        worker.start()
    for worker in workers:
        worker.join()
    assert sorted(taken) == list(range(40))
