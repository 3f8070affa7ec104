"""The fence before every signature and every send: a shared lock, the latch, the engine's row.

A kill writes the latch and then takes the lock alone: from then on every passage has either ended or will be refused.
"""

from __future__ import annotations

import fcntl
import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from django.db import Error as DatabaseFault

from apps.domain.engine import EngineStatus
from apps.domain.errors import EpochClosedError
from apps.domain.order import Side
from apps.state.latch import LatchUnreadableError, latch_read, lock_exclusive
from apps.state.logic.gate import Latch, refusal_of
from apps.state.models import EngineState

LOCK_NAME = "fence.lock"
_REMEDY = "`manage.py killswitch status` tells more; a person resumes with `manage.py killswitch resume`."


@contextmanager
def passage(*, epoch: int, side: Side, data_dir: Path) -> Iterator[None]:
    """Let one signature or one send of ``epoch`` pass. Raises EpochClosedError unless the engine is open for it.

    Hold it for no longer than the act itself: a kill waits for passages that have begun.
    """
    # Before the lock too: without it a stream of refused passages could keep a kill waiting for the lock.
    _latch_checked(data_dir)
    descriptor = _lock_shared(data_dir)
    try:
        latch = _latch_checked(data_dir)
        status, engine_epoch = _engine_row()
        refusal = refusal_of(latch=latch, status=status, engine_epoch=engine_epoch, epoch=epoch, side=side)
        if refusal:
            raise _closed(refusal, epoch=epoch)
        yield
    finally:
        os.close(descriptor)


def drain(*, data_dir: Path, wait_max_s: float) -> bool:
    """Wait until every passage that began before has ended. Return False when one still holds on after the limit."""
    descriptor = os.open(data_dir / LOCK_NAME, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
    try:
        return lock_exclusive(descriptor, wait_max_s=wait_max_s)
    finally:
        os.close(descriptor)


def _lock_shared(data_dir: Path) -> int:
    """Return a descriptor that holds the shared lock; each passage opens its own, as flock belongs to the open file."""
    try:
        descriptor = os.open(data_dir / LOCK_NAME, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
        try:
            fcntl.flock(descriptor, fcntl.LOCK_SH)
        except OSError:
            os.close(descriptor)
            raise
    except OSError as error:
        raise EpochClosedError(
            f"Nothing may pass: the fence's lock file cannot be used ({error.strerror}).",
            remedy=f"Make {data_dir} writable for this user.",
        ) from error
    return descriptor


def _latch_checked(data_dir: Path) -> Latch | None:
    try:
        latch = latch_read(data_dir)
    except LatchUnreadableError as error:
        raise EpochClosedError(f"Nothing may pass: {error}.", remedy=error.remedy) from error
    if latch is not None and latch.pulled == "emergency_stopped":
        raise _closed("the kill switch is pulled", epoch=latch.epoch)
    return latch


def _engine_row() -> tuple[EngineStatus, int]:
    try:
        row = EngineState.objects.filter(pk=1).values_list("status", "epoch").first()
    except DatabaseFault as error:
        raise EpochClosedError(
            "Nothing may pass: the engine's state cannot be read from the database.",
            remedy="Bring the database back; `manage.py doctor` tells what is wrong with it.",
        ) from error
    if row is None:
        raise EpochClosedError(
            "Nothing may pass: the engine was never set up.",
            remedy="Start the system once with `manage.py up`.",
        )
    return EngineStatus(row[0]), row[1]


def _closed(refusal: str, *, epoch: int) -> EpochClosedError:
    return EpochClosedError(f"Nothing may pass: {refusal}.", remedy=_REMEDY, epoch=epoch)
