"""Writes down what the driver did, off its critical path."""

from __future__ import annotations

import logging
import queue
import threading
import time
from collections.abc import Callable, Iterable
from dataclasses import asdict
from datetime import UTC, datetime, timedelta
from typing import Any

from django.db import DatabaseError, close_old_connections, transaction

from apps.sandbox.life import Earlier, Mined, Running
from apps.sandbox.models import SandboxBlock, SandboxLaunch, SandboxRun

logger = logging.getLogger(__name__)
_QUEUE_MAX = 5_000
_ATTEMPTS_MAX = 5
_FLUSH_S_MAX = 10.0
_BLOCKS_PER_WRITE_MAX = 50
_RECALLED_MAX = 2_000
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_JSON_INTEGER_MAX = 2**53
_TEXT_MAX = 200
_LEFT_OUT = {"number", "kind", "is_honest", "is_unsellable", "path", "holders_raw", "crew"}


class Store:
    """One thread that writes blocks and launches in the order in which they came."""

    def __init__(self, *, on_end: Callable[[], None]) -> None:
        """``on_end`` is told when nothing is written any more, whatever the reason."""
        self._on_end = on_end
        self._queue: queue.Queue[tuple[str, Mined, tuple[dict[str, Any], ...]] | None] = queue.Queue(
            _QUEUE_MAX
        )
        self._thread = threading.Thread(target=self._run, name="sandbox-store", daemon=True)

    def start(self) -> None:
        """Begin to write."""
        self._thread.start()

    def put(self, chain_key: str, mined: Mined) -> None:
        """Take a block over; launches are copied as they are now."""
        rows = tuple(launch_row(running) for running in mined.launches)
        self._queue.put((chain_key, mined, rows))

    def flush(self) -> None:
        """Return once everything taken over so far is written, or after a while."""
        deadline = time.monotonic() + _FLUSH_S_MAX
        while self._queue.unfinished_tasks and time.monotonic() < deadline:
            time.sleep(0.01)

    def close(self) -> None:
        """Write what is left and end."""
        self._queue.put(None)
        self._thread.join(timeout=15)

    def _run(self) -> None:
        try:
            self._write_all()
        finally:
            self._on_end()

    def _write_all(self) -> None:
        while True:
            batch = [self._queue.get()]
            while len(batch) < _BLOCKS_PER_WRITE_MAX and not self._queue.empty():
                batch.append(self._queue.get_nowait())
            items = [item for item in batch if item is not None]
            self._write(items)
            for _ in batch:
                self._queue.task_done()
            if len(items) < len(batch):
                return

    def _write(self, items: Iterable[tuple[str, Mined, tuple[dict[str, Any], ...]]]) -> None:
        for attempt in range(1, _ATTEMPTS_MAX + 1):
            try:
                close_old_connections()
                with transaction.atomic():
                    for chain_key, mined, rows in items:
                        write_one(chain_key, mined, rows)
                return
            except DatabaseError:
                logger.warning("sandbox rows were not written", extra={"attempt": attempt}, exc_info=True)
                if attempt == _ATTEMPTS_MAX:
                    raise


def recall(*, chain_key: str, head: int, seed: int) -> tuple[list[Earlier], int]:
    """Return the launches that the chain has, and the next number. What a chain that is older than the book has
    forgotten is forgotten here too.
    """
    with transaction.atomic():
        launches = SandboxLaunch.objects.filter(chain_key=chain_key)
        launches.filter(created_block_number__gt=head).delete()
        launches.filter(rugged_block_number__gt=head).update(rugged_block_number=None)
        undone = launches.filter(unsellable_from_block__gt=head).exclude(kind="honeypot_sleeper")
        undone.update(unsellable_from_block=None)
        last = launches.order_by("-number").first()
        same_market = SandboxRun.objects.filter(chain_key=chain_key, seed=seed).exists()
        SandboxRun.objects.filter(chain_key=chain_key).update(seed=seed, tick=head)
        earlier = [_earlier(row) for row in launches.order_by("number")] if same_market else []
    return earlier[-_RECALLED_MAX:], 0 if last is None else last.number + 1


def _earlier(row: SandboxLaunch) -> Earlier:
    assert row.created_block_number is not None, row
    return Earlier(
        number=row.number,
        created_block=row.created_block_number,
        created_at=_EPOCH + timedelta(milliseconds=row.parameters["created_at_ms"]),
        token=row.token_address,
        pool=row.pool_address,
        rugged_block=row.rugged_block_number,
        shut_block=row.unsellable_from_block,
    )


def write_one(chain_key: str, mined: Mined, rows: Iterable[dict[str, Any]]) -> None:
    """Write a block and what it made true; repeatable."""
    SandboxBlock.objects.get_or_create(
        chain_key=chain_key,
        hash=mined.hash,
        defaults={"number": mined.number, "mined_at": mined.mined_at},
    )
    for row in rows:
        SandboxLaunch.objects.update_or_create(chain_key=chain_key, number=row["number"], defaults=row)
    SandboxRun.objects.filter(chain_key=chain_key).update(tick=mined.number)


def launch_row(running: Running) -> dict[str, Any]:
    """Return a launch as its row has it."""
    plan = running.plan
    drawn: dict[str, Any] = {"created_at_ms": (running.created_at - _EPOCH) // timedelta(milliseconds=1)}
    drawn |= {name: _storable(value) for name, value in asdict(plan).items() if name not in _LEFT_OUT}
    return {
        "number": plan.number,
        "kind": plan.kind,
        "is_honest": plan.is_honest,
        "is_unsellable": plan.is_unsellable,
        "unsellable_from_block": running.shut_block,
        "token_address": running.token,
        "pool_address": running.pool,
        "created_block_number": running.created_block,
        "rugged_block_number": running.rugged_block,
        "parameters": drawn,
    }


def _storable(value: Any) -> Any:
    """Return what any database takes as JSON: hostile texts written out, integers of any size as text."""
    if isinstance(value, bytes):
        return "0x" + value.hex()
    if isinstance(value, str):
        return ascii(value[:_TEXT_MAX])[1:-1]
    if isinstance(value, dict):
        return {key: _storable(item) for key, item in value.items()}
    if isinstance(value, (tuple, list)):
        return [_storable(item) for item in value]
    return str(value) if isinstance(value, int) and abs(value) > _JSON_INTEGER_MAX else value
