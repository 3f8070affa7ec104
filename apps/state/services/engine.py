"""The engine's state and the kill switch: the database's row and the latch file, kept in agreement."""

from __future__ import annotations

import logging
import threading
import time
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any

from django.conf import settings
from django.db import Error as DatabaseFault
from django.db import connection, connections
from django.utils import timezone

from apps.domain.config import default_config
from apps.domain.engine import ENGINE_TRANSITIONS, EngineStatus, EngineView, Mode
from apps.domain.errors import ConfigurationError, SniperError, TransitionRefusedError
from apps.domain.events import EventKind
from apps.state.durability import durable_transaction
from apps.state.fence import drain
from apps.state.latch import LatchUnreadableError, latch_or_shut, latch_pull, latch_read, latch_replace
from apps.state.logic.gate import Latch, settled
from apps.state.models import EngineState
from apps.state.services.config import config_first
from apps.state.services.events import cut, event_record
from apps.state.services.incidents import incident_from_error

logger = logging.getLogger(__name__)

#: A send lasts 300 ms at most, so this is enough for those in flight; the whole kill returns within 500 ms.
DRAIN_MAX_S = 0.35
DATABASE_WAIT_MAX_S = 0.25
TEXT_LENGTH_MAX = 500


@dataclass(frozen=True, slots=True, kw_only=True)
class KillReport:
    """What a pull of the kill switch achieved. ``drained``: every send that had begun before has ended."""

    epoch: int
    duration_ms: int
    latch_written: bool
    database_written: (
        bool  # False: `killswitch_settle` writes it later; the latch alone stops everything until then
    )
    drained: bool

    @property
    def is_effective(self) -> bool:
        """Tell whether nothing of an older epoch can be sent any more."""
        return self.drained and (self.latch_written or self.database_written)


def installation_prepare(*, mode: Mode) -> None:
    """Make the engine's row and configuration revision 1 at the first start; later bring latch and row to agree.

    Raises ConfigurationError when the database belongs to another mode.
    """
    with durable_transaction():
        row, created = EngineState.objects.get_or_create(
            pk=1, defaults={"mode": mode, "changed_at": timezone.now()}
        )
        if row.mode != mode:
            raise ConfigurationError(
                f"This database belongs to the mode {row.mode}, and the environment says {mode}.",
                remedy=f"Set DEXSNIPER_MODE={row.mode}, or give the mode {mode} a database of its own.",
            )
        if created:
            config_first(config=default_config(mode), by="setup", reason="first start")
            event_record(
                kind=EventKind.ENGINE_STATUS,
                summary=f"Installed in mode {mode}",
                actor="setup",
                subject="engine",
            )
    killswitch_settle()


def engine_view() -> EngineView:
    """Return the engine as it really stands, read directly: the stricter of database and latch."""
    row = _row()
    view = EngineView(
        mode=row.mode,  # type: ignore[arg-type]  # checked by installation_prepare
        status=EngineStatus(row.status),
        epoch=row.epoch,
        reason=row.reason,
        changed_by=row.changed_by,
        changed_at_ms=int(row.changed_at.timestamp() * 1000),
    )
    latch = _latch()
    if latch is None:
        return view
    aim = settled(latch=latch, status=view.status, epoch=view.epoch)
    if (aim.status, aim.epoch) == (view.status, view.epoch):
        return view
    # Until the database knows of it nothing passes at all, a pending "kill and close" included.
    return replace(
        view,
        status=aim.status if aim.status is EngineStatus.STOPPED else EngineStatus.EMERGENCY_STOPPED,
        epoch=aim.epoch,
        reason=latch.reason or view.reason,
        changed_by=latch.by or view.changed_by,
        degraded=("the database does not know of the kill switch's latch yet",),
    )


def view_fields(view: EngineView) -> dict[str, Any]:
    """Return the view as plain JSON, for commands and the API."""
    return asdict(view) | {"status": view.status.value}


def engine_start(*, by: str, reason: str) -> EngineView:
    """Let entries and exits run, in a new epoch. Raises TransitionRefusedError while the kill switch is pulled."""
    return _operate(EngineStatus.RUNNING, by=by, reason=reason)


def engine_pause(*, by: str, reason: str) -> EngineView:
    """Take no more entries; exits go on. Raises TransitionRefusedError."""
    return _operate(EngineStatus.PAUSED, by=by, reason=reason)


def engine_stop(*, by: str, reason: str) -> EngineView:
    """Neither enter nor exit; ends a "kill and close" too. Raises TransitionRefusedError."""
    return _operate(EngineStatus.STOPPED, by=by, reason=reason)


def engine_resume(*, by: str, reason: str, to: EngineStatus = EngineStatus.RUNNING) -> EngineView:
    """Lift the kill switch and go to ``to`` in a new epoch. Raises TransitionRefusedError."""
    killswitch_settle()
    row = _row()
    before = EngineStatus(row.status)
    if before is not EngineStatus.EMERGENCY_STOPPED:
        if before is EngineStatus.CLOSING:
            raise _refused(
                before, to, "it still sells", remedy="Stop the engine to end the closing, then start it."
            )
        raise _refused(before, to, "the kill switch is not pulled", remedy="Use start, pause or stop.")
    if (before, to) not in ENGINE_TRANSITIONS or to is EngineStatus.CLOSING:
        raise _refused(
            before, to, "that is no state to resume to", remedy="Resume to running, paused or stopped."
        )
    return _reopen(row, to=to, by=by, reason=reason)


def killswitch_pull(*, by: str, reason: str, close_positions: bool) -> KillReport:
    """Shut the fence at once. When it returns nothing of an older epoch is signed or sent any more.

    With ``close_positions`` a new epoch begins in which only sells pass. The latch comes first and needs no database;
    the database is written beside it and, where it is locked, later by ``killswitch_settle``.
    """
    started = time.monotonic()
    data_dir = Path(settings.DATA_DIR)
    latch = Latch(
        pulled="closing" if close_positions else "emergency_stopped",
        epoch=0,
        by=by,
        reason=reason,
        at_ms=int(timezone.now().timestamp() * 1000),
    )
    latch, latch_written = latch_pull(data_dir, latch)
    database = _DatabaseWrite(fallback=latch)
    if not latch_written:
        database.wait(
            DATABASE_WAIT_MAX_S
        )  # then the row alone shuts the fence, so it comes before the wait for sends
    drained = drain(data_dir=data_dir, wait_max_s=DRAIN_MAX_S - (time.monotonic() - started))
    database.wait(DATABASE_WAIT_MAX_S - (time.monotonic() - started))
    if not database.done:
        logger.error("kill switch was pulled by the latch alone; the database is to follow")
    current = _latch()
    return KillReport(
        epoch=latch.epoch if current is None else current.epoch,
        duration_ms=int((time.monotonic() - started) * 1000),
        latch_written=latch_written,
        database_written=database.done,
        drained=drained,
    )


def killswitch_settle() -> bool:
    """Bring database and latch to agree; the stricter wins. Return True when something was mended.

    Called at every process start and by the sweep: it costs two reads when there is nothing to do.
    """
    try:
        latch = latch_read(Path(settings.DATA_DIR))
    except LatchUnreadableError as error:
        incident_from_error(error, severity="critical")
        latch = _latch()
    return _settle(latch)


def _settle(latch: Latch | None) -> bool:
    row = _row()
    aim = settled(latch=latch, status=EngineStatus(row.status), epoch=row.epoch)
    if aim.latch == latch and (aim.status.value, aim.epoch) == (row.status, row.epoch):
        return False
    with durable_transaction():
        row = EngineState.objects.select_for_update().get(pk=1)
        aim = settled(latch=latch, status=EngineStatus(row.status), epoch=row.epoch)
        if (aim.status.value, aim.epoch) != (row.status, row.epoch):
            _row_change(
                row, to=aim.status, epoch=aim.epoch, by=aim.latch.by or "engine", reason=aim.latch.reason
            )
    try:
        latch_replace(Path(settings.DATA_DIR), before=latch, after=aim.latch)
    except OSError:
        logger.exception("latch was not brought to agree with the database; the next round tries again")
    return True


class _DatabaseWrite:
    """The kill's write to the database, on a connection of its own, so that a locked database delays nobody."""

    def __init__(self, *, fallback: Latch) -> None:
        self.done = False
        self._fallback = fallback
        self._thread: threading.Thread | None = None
        if connection.in_atomic_block:
            # Another connection would wait for the lock that the caller's own transaction holds.
            self._write()
        else:
            self._thread = threading.Thread(target=self._write_and_close, name="killswitch", daemon=True)
            self._thread.start()

    def wait(self, seconds: float) -> None:
        """Wait for the write, no longer than ``seconds``. It goes on by itself afterwards."""
        if self._thread is not None:
            self._thread.join(timeout=max(0.0, seconds))

    def _write(self) -> None:
        latch = _latch()
        # With a disk that takes no latch the kill must reach the database all the same.
        _settle(self._fallback if latch is None or not latch.pulled else latch)
        self.done = True

    def _write_and_close(self) -> None:
        try:
            self._write()
        except (DatabaseFault, SniperError):
            logger.exception("kill switch was not written to the database")
        finally:
            connections.close_all()


def _operate(to: EngineStatus, *, by: str, reason: str) -> EngineView:
    killswitch_settle()
    row = _row()
    before = EngineStatus(row.status)
    if before is to:
        return engine_view()
    if before is EngineStatus.EMERGENCY_STOPPED:
        raise _refused(before, to, "the kill switch is pulled", remedy="Lift the kill switch first (resume).")
    if (before, to) not in ENGINE_TRANSITIONS:
        raise _refused(before, to, "it still sells", remedy="Stop the engine first.")
    if before is EngineStatus.CLOSING:
        return _reopen(row, to=to, by=by, reason=reason)
    raises_epoch = to is EngineStatus.RUNNING or before is EngineStatus.STOPPED
    latch = _latch()
    floor = 0 if latch is None else latch.epoch
    with durable_transaction():
        epoch = max(row.epoch, floor) + 1 if raises_epoch else row.epoch
        _row_change(row, to=to, epoch=epoch, by=by, reason=reason)
    if latch is not None:
        raised = replace(latch, epoch=max(epoch, latch.epoch))
        latch_replace(Path(settings.DATA_DIR), before=latch, after=raised)
    return engine_view()


def _reopen(row: EngineState, *, to: EngineStatus, by: str, reason: str) -> EngineView:
    """Lift the latch, then change the row: whatever happens in between, the row still keeps everything shut."""
    before = EngineStatus(row.status)
    latch = _latch()
    epoch = max(row.epoch, 0 if latch is None else latch.epoch) + 1
    lifted = Latch(pulled="", epoch=epoch, by=by, reason=reason, at_ms=int(timezone.now().timestamp() * 1000))
    if not latch_replace(Path(settings.DATA_DIR), before=latch, after=lifted):
        raise _refused(before, to, "the kill switch was pulled again in the meantime", remedy="Look again.")
    with durable_transaction():
        _row_change(row, to=to, epoch=epoch, by=by, reason=reason)
    return engine_view()


def _row() -> EngineState:
    row = EngineState.objects.filter(pk=1).first()
    if row is None:
        raise ConfigurationError(
            "The engine was never set up.", remedy="Start the system once with `manage.py up`."
        )
    return row


def _row_change(row: EngineState, *, to: EngineStatus, epoch: int, by: str, reason: str) -> None:
    """Change the row if it is still as it was read, and record it. Raises TransitionRefusedError."""
    changed = EngineState.objects.filter(pk=1, status=row.status, epoch=row.epoch).update(
        status=to.value,
        epoch=epoch,
        reason=cut(reason, TEXT_LENGTH_MAX),
        changed_by=cut(by, 150),
        changed_at=timezone.now(),
    )
    if not changed:
        raise _refused(
            EngineStatus(row.status), to, "somebody else changed it in the meantime", remedy="Look again."
        )
    event_record(
        kind=EventKind.ENGINE_STATUS,
        summary=f"Engine {_word(EngineStatus(row.status))} → {_word(to)}: {reason or 'no reason given'}",
        actor=by,
        subject="engine",
        payload={"before": row.status, "after": to.value, "epoch": epoch, "reason": reason},
    )


def _latch() -> Latch | None:
    return latch_or_shut(Path(settings.DATA_DIR))


def _refused(before: EngineStatus, to: EngineStatus, why: str, *, remedy: str) -> TransitionRefusedError:
    return TransitionRefusedError(
        f"The engine is {_word(before)} and cannot become {_word(to)}: {why}.", remedy=remedy
    )


def _word(status: EngineStatus) -> str:
    return status.value.replace("_", " ")
