"""Which commits wait for the disk."""

from __future__ import annotations

import pytest
from django.db import connection, transaction

from apps.state.durability import durable_transaction

_FULL, _NORMAL = 2, 1


def _synchronous() -> int:
    with connection.cursor() as cursor:
        cursor.execute("PRAGMA synchronous")
        return int(cursor.fetchone()[0])


@pytest.fixture
def sqlite() -> None:
    if connection.vendor != "sqlite":
        pytest.xfail("PostgreSQL waits for its disk at every commit")


@pytest.mark.django_db(transaction=True)
@pytest.mark.usefixtures("sqlite")
def test_durable_commit_then_waits_for_the_disk_and_ordinary_ones_do_not() -> None:
    with transaction.atomic():
        assert _synchronous() == _NORMAL
    with durable_transaction():
        assert _synchronous() == _FULL
    assert _synchronous() == _NORMAL


@pytest.mark.django_db(transaction=True)
@pytest.mark.usefixtures("sqlite")
def test_durable_commit_fails_then_ordinary_again() -> None:
    with pytest.raises(RuntimeError), durable_transaction():
        raise RuntimeError
    assert _synchronous() == _NORMAL


@pytest.mark.django_db(transaction=True)
def test_durable_inside_another_transaction_then_that_one_decides() -> None:
    with transaction.atomic(), durable_transaction():
        assert connection.in_atomic_block
