"""The kill switch's latch: a file beside the database, so that a locked database cannot delay a kill.

Always replaced whole: written to a temporary file, synced, renamed, folder synced. What cannot be read counts as pulled.
"""

from __future__ import annotations

import fcntl
import json
import logging
import os
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict, replace
from pathlib import Path
from typing import get_args

from apps.domain.errors import PlatformError
from apps.state.logic.gate import Latch, Pulled

logger = logging.getLogger(__name__)

FILE_NAME = "latch.json"
LOCK_NAME = "latch.lock"
SIZE_MAX_BYTES = 8_192
LOCK_WAIT_MAX_S = 0.1
LOCK_POLL_S = 0.001
TEXT_LENGTH_MAX = 500
REMEDY = (
    "Look at the file, then run `manage.py killswitch pull` (which writes it anew) and, once all is well, "
    "`manage.py killswitch resume`."
)


class LatchUnreadableError(PlatformError):
    """The latch file is there and cannot be understood: everything stays shut."""

    code = "LATCH_UNREADABLE"


def latch_read(data_dir: Path) -> Latch | None:
    """Return the latch, or None when none was ever written. Raises LatchUnreadableError."""
    path = data_dir / FILE_NAME
    try:
        with path.open("rb") as file:
            content = file.read(SIZE_MAX_BYTES + 1)
    except FileNotFoundError:
        return None
    except OSError as error:
        raise LatchUnreadableError(f"{path} cannot be read: {error.strerror}", remedy=REMEDY) from error
    try:
        fields = json.loads(content)
        latch = Latch(**fields)
    except (ValueError, TypeError) as error:
        raise LatchUnreadableError(f"{path} is damaged", remedy=REMEDY) from error
    if latch.pulled not in get_args(Pulled) or type(latch.epoch) is not int or latch.epoch < 0:
        raise LatchUnreadableError(f"{path} holds impossible values", remedy=REMEDY)
    return latch


def latch_or_shut(data_dir: Path) -> Latch | None:
    """Return the latch; one that cannot be read counts as pulled."""
    try:
        return latch_read(data_dir)
    except LatchUnreadableError as error:
        return Latch(pulled="emergency_stopped", epoch=0, by="engine", reason=str(error))


def latch_pull(data_dir: Path, latch: Latch) -> tuple[Latch, bool]:
    """Write the pulled latch in an epoch above the last. Return it, and whether the disk now keeps everything shut."""
    try:
        with latch_locked(data_dir):
            previous = latch_or_shut(data_dir)
            latch = replace(latch, epoch=1 if previous is None else previous.epoch + 1)
            try:
                latch_write(data_dir, latch)
            except OSError:
                _spoil(data_dir)
    except OSError:
        logger.exception("kill switch's latch was not written")
        return latch, False
    return latch, True


def latch_replace(data_dir: Path, *, before: Latch | None, after: Latch) -> bool:
    """Write ``after`` if the latch still says ``before``. Return False when it was changed in the meantime.

    Raises OSError.
    """
    if before == after:
        return True
    with latch_locked(data_dir) as is_ours:
        if not is_ours or latch_or_shut(data_dir) != before:
            return False
        latch_write(data_dir, after)
    return True


def latch_write(data_dir: Path, latch: Latch) -> None:
    """Replace the latch, safe against power loss. Raises OSError. Call it within ``latch_locked``."""
    fields = asdict(latch) | {"by": latch.by[:TEXT_LENGTH_MAX], "reason": latch.reason[:TEXT_LENGTH_MAX]}
    content = json.dumps(fields).encode()
    descriptor, temporary = tempfile.mkstemp(prefix=f".{FILE_NAME}.", dir=data_dir)
    try:
        with os.fdopen(descriptor, "wb") as file:
            file.write(content)
            file.flush()
            os.fsync(file.fileno())
        Path(temporary).replace(data_dir / FILE_NAME)
    except OSError:
        Path(temporary).unlink(missing_ok=True)
        raise
    folder = os.open(data_dir, os.O_RDONLY | os.O_DIRECTORY)
    try:
        os.fsync(folder)
    finally:
        os.close(folder)


def _spoil(data_dir: Path) -> None:
    """Empty the latch file, which shuts everything: the way out when a full disk refuses a new one. Raises OSError."""
    descriptor = os.open(data_dir / FILE_NAME, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


@contextmanager
def latch_locked(data_dir: Path, *, wait_max_s: float = LOCK_WAIT_MAX_S) -> Iterator[bool]:
    """Hold the right to change the latch; yields False when another process keeps it beyond the limit.

    Nothing slow may happen within. A kill goes on without the right: it waits for nobody.
    """
    descriptor = os.open(data_dir / LOCK_NAME, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
    try:
        yield lock_exclusive(descriptor, wait_max_s=wait_max_s)
    finally:
        os.close(descriptor)


def lock_exclusive(descriptor: int, *, wait_max_s: float) -> bool:
    """Lock the open file for us alone. Return False when others held on to it beyond the limit."""
    deadline = time.monotonic() + wait_max_s
    while True:
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            if time.monotonic() >= deadline:
                return False
            time.sleep(LOCK_POLL_S)
        else:
            return True
