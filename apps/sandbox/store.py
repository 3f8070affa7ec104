"""Writes down what the driver did, off its critical path."""

from __future__ import annotations

import logging
import queue
import threading
from collections.abc import Iterable
from dataclasses import asdict
from typing import Any

from django.db import DatabaseError, close_old_connections, transaction

from apps.sandbox.life import Mined, Running
from apps.sandbox.models import SandboxBlock, SandboxLaunch, SandboxRun

logger = logging.getLogger(__name__)
_QUEUE_MAX = 5_000
_ATTEMPTS_MAX = 5
_BLOCKS_PER_WRITE_MAX = 50
_LEFT_OUT = {"number", "kind", "is_honest", "is_unsellable", "path", "holders_raw", "crew"}


class Store:
    """One thread that writes blocks and launches in the order in which they came."""

    def __init__(self) -> None:
        self._queue: queue.Queue[tuple[str, Mined, tuple[dict[str, Any], ...]] | None] = queue.Queue(_QUEUE_MAX)
        self._thread = threading.Thread(target=self._run, name="sandbox-store", daemon=True)

    def start(self) -> None:
        """Begin to write."""
        self._thread.start()

    def put(self, chain_key: str, mined: Mined) -> None:
        """Take a block over; launches are copied as they are now."""
        rows = tuple(_launch_row(running) for running in mined.launches)
        self._queue.put((chain_key, mined, rows))

    def close(self) -> None:
        """Write what is left and end."""
        self._queue.put(None)
        self._thread.join(timeout=15)

    def _run(self) -> None:
        while True:
            batch = [self._queue.get()]
            while len(batch) < _BLOCKS_PER_WRITE_MAX and not self._queue.empty():
                batch.append(self._queue.get_nowait())
            items = [item for item in batch if item is not None]
            self._write(items)
            if len(items) < len(batch):
                return

    def _write(self, items: Iterable[tuple[str, Mined, tuple[dict[str, Any], ...]]]) -> None:
        for attempt in range(_ATTEMPTS_MAX):
            try:
                close_old_connections()
                with transaction.atomic():
                    for chain_key, mined, rows in items:
                        _write_one(chain_key, mined, rows)
                return
            except DatabaseError:
                logger.warning("sandbox rows were not written", extra={"attempt": attempt}, exc_info=True)


def _write_one(chain_key: str, mined: Mined, rows: Iterable[dict[str, Any]]) -> None:
    SandboxBlock.objects.get_or_create(
        chain_key=chain_key,
        hash=mined.hash,
        defaults={"number": mined.number, "mined_at": mined.mined_at},
    )
    for row in rows:
        SandboxLaunch.objects.update_or_create(
            chain_key=chain_key, number=row["number"], defaults=row
        )
    SandboxRun.objects.filter(chain_key=chain_key).update(tick=mined.number)


def _launch_row(running: Running) -> dict[str, Any]:
    plan = running.plan
    drawn = {
        name: str(value) if isinstance(value, int) and abs(value) > 2**53 else value
        for name, value in asdict(plan).items()
        if name not in _LEFT_OUT
    }
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
