"""Commits that must survive a power cut.

SQLite runs with ``synchronous=NORMAL``: a commit is safe from a crash of the program, and a power cut may take the last
ones, never the file. Everything that is lost so can be read again from the chain, except what must be known before
something is sent. Those few commits wait for the disk; the write-ahead log is one file, so every earlier commit is then
safe with them. Source: https://www.sqlite.org/pragma.html#pragma_synchronous
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from django.db import connection, transaction


@contextmanager
def durable_transaction() -> Iterator[None]:
    """Run a transaction whose commit is on the disk when this returns. Inside another transaction that one decides."""
    if (
        connection.vendor != "sqlite" or connection.in_atomic_block
    ):  # PostgreSQL waits for its disk at every commit
        with transaction.atomic():
            yield
        return
    _synchronous("FULL")
    try:
        with transaction.atomic():
            yield
    finally:
        _synchronous("NORMAL")


def _synchronous(level: str) -> None:
    with connection.cursor() as cursor:
        cursor.execute(f"PRAGMA synchronous={level}")
