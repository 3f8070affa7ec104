"""Messages that tell a worker to look at a row. Losing one costs time, never work: the sweep finds every waiting row."""

from __future__ import annotations

import logging
import threading
import time
from functools import partial

from celery import current_app
from django.db import transaction

logger = logging.getLogger(__name__)

_REST_AFTER_FAILURE_S = 2.0  # with the broker dead each try costs half a second: do not pay it for every row
_lock = threading.Lock()
_resting_until = 0.0


def nudge(task: str, *args: int | str) -> None:
    """Send a task after the running transaction has committed. A dead broker is tolerated."""
    transaction.on_commit(partial(_send, task, args))


def broker_rests() -> bool:
    """Tell whether the broker failed a moment ago, so that waiting rows should be worked on here and now."""
    return time.monotonic() < _resting_until


def _send(task: str, args: tuple[int | str, ...]) -> None:
    global _resting_until
    if broker_rests():
        return
    try:
        current_app.send_task(task, args=args, retry=False, ignore_result=True)
    except Exception as error:  # noqa: BLE001  # kombu, redis and socket errors share no base class
        with _lock:
            _resting_until = time.monotonic() + _REST_AFTER_FAILURE_S
        logger.warning("broker was not reachable", extra={"task": task, "error": type(error).__name__})
