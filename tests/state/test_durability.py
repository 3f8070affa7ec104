"""Which commits wait for the disk. On PostgreSQL the server decides for all alike."""

from __future__ import annotations

import pytest
from django.db import connection, transaction

from apps.state.durability import durable_transaction

_SQLITE_NORMAL, _SQLITE_FULL = "1", "2"


def _level() -> str:
    with connection.cursor() as cursor:
        cursor.execute("PRAGMA synchronous" if connection.vendor == "sqlite" else "SHOW synchronous_commit")
        return str(cursor.fetchone()[0])


@pytest.mark.django_db(transaction=True)
def test_durable_commit_then_waits_for_the_disk_and_ordinary_ones_do_not() -> None:
    is_sqlite, before = connection.vendor == "sqlite", _level()
    with transaction.atomic():
        assert _level() == (_SQLITE_NORMAL if is_sqlite else before)
    with durable_transaction():
        assert _level() == (_SQLITE_FULL if is_sqlite else before)
    assert _level() == before


@pytest.mark.django_db(transaction=True)
def test_durable_commit_fails_then_ordinary_again() -> None:
    before = _level()
    with pytest.raises(RuntimeError), durable_transaction():
        raise RuntimeError
    assert _level() == before


@pytest.mark.django_db(transaction=True)
def test_durable_inside_another_transaction_then_that_one_decides() -> None:
    before = _level()
    with transaction.atomic(), durable_transaction():
        assert connection.in_atomic_block
        assert _level() == before
