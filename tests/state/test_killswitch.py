"""The kill switch under every circumstance: idle, locked database, senders in flight, damaged latch, restart."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from django.db import connection

from apps.domain.engine import EngineStatus
from apps.domain.errors import EpochClosedError, TransitionRefusedError
from apps.state.fence import passage
from apps.state.latch import FILE_NAME, latch_read, latch_write
from apps.state.logic.gate import Latch
from apps.state.models import EngineState, Event
from apps.state.services.engine import (
    engine_pause,
    engine_resume,
    engine_start,
    engine_stop,
    engine_view,
    installation_prepare,
    killswitch_pull,
    killswitch_settle,
)

KILL_MAX_MS = 500


@pytest.fixture
def running(db: None) -> int:
    """A running engine; returns its epoch."""
    installation_prepare(mode="sandbox")
    return engine_start(by="test", reason="test").epoch


def passes(data_dir: Path, epoch: int, side: str = "buy") -> bool:
    try:
        with passage(epoch=epoch, side=side, data_dir=data_dir):  # type: ignore[arg-type]
            return True
    except EpochClosedError:
        return False


def pull(*, close: bool = False):
    return killswitch_pull(by="test", reason="test", close_positions=close)


# -- what passes -----------------------------------------------------------------------------


def test_passage_when_running_then_both_sides_pass(running: int, data_dir: Path) -> None:
    assert passes(data_dir, running, "buy")
    assert passes(data_dir, running, "sell")
    assert not passes(data_dir, running - 1, "sell")
    assert not passes(data_dir, running + 1, "sell")


def test_passage_when_paused_then_only_sells_pass(running: int, data_dir: Path) -> None:
    epoch = engine_pause(by="test", reason="test").epoch
    assert epoch == running
    assert passes(data_dir, epoch, "sell")
    assert not passes(data_dir, epoch, "buy")


def test_passage_when_stopped_then_nothing_passes(running: int, data_dir: Path) -> None:
    engine_stop(by="test", reason="test")
    assert not passes(data_dir, running, "sell")


def test_passage_when_never_installed_then_closed_with_remedy(db: None, data_dir: Path) -> None:
    with pytest.raises(EpochClosedError) as raised, passage(epoch=1, side="buy", data_dir=data_dir):
        pass
    assert "manage.py up" in raised.value.remedy


@pytest.mark.parametrize(
    "content", [b"", b"{", b"[]", b'{"pulled": "maybe", "epoch": 1}', b'{"pulled": "", "epoch": "1"}']
)
def test_passage_when_latch_damaged_then_closed_with_remedy(
    running: int, data_dir: Path, content: bytes
) -> None:
    (data_dir / FILE_NAME).write_bytes(content)
    with pytest.raises(EpochClosedError) as raised, passage(epoch=running, side="sell", data_dir=data_dir):
        pass
    assert "killswitch" in raised.value.remedy
    assert engine_view().status is EngineStatus.EMERGENCY_STOPPED


def test_passage_when_database_restored_from_backup_then_old_epoch_is_closed(
    running: int, data_dir: Path
) -> None:
    pull()
    engine_resume(by="test", reason="test")
    EngineState.objects.update(status=EngineStatus.RUNNING.value, epoch=running)
    assert not passes(data_dir, running, "sell")
    killswitch_settle()
    assert engine_view().status is EngineStatus.STOPPED
    assert engine_start(by="test", reason="test").epoch > running + 2


# -- pull, resume ------------------------------------------------------------------------------


def test_pull_when_running_then_nothing_passes_and_it_is_recorded(running: int, data_dir: Path) -> None:
    report = pull()
    assert report.is_effective
    assert report.latch_written
    assert report.database_written
    assert report.epoch == running + 1
    assert engine_view().status is EngineStatus.EMERGENCY_STOPPED
    assert not any(
        passes(data_dir, epoch, side) for epoch in (running, running + 1) for side in ("buy", "sell")
    )
    assert Event.objects.filter(kind="engine_status", payload__after="emergency_stopped").count() == 1


def test_pull_when_closing_positions_then_only_sells_of_the_new_epoch_pass(
    running: int, data_dir: Path
) -> None:
    report = pull(close=True)
    assert engine_view().status is EngineStatus.CLOSING
    assert engine_view().epoch == report.epoch
    assert passes(data_dir, report.epoch, "sell")
    assert not passes(data_dir, report.epoch, "buy")
    assert not passes(data_dir, running, "sell")


def test_pull_when_closing_already_then_nothing_passes(running: int, data_dir: Path) -> None:
    first = pull(close=True)
    second = pull()
    assert second.epoch > first.epoch
    assert not passes(data_dir, first.epoch, "sell")
    assert not passes(data_dir, second.epoch, "sell")


def test_pull_when_emergency_then_closing_may_follow(running: int, data_dir: Path) -> None:
    pull()
    report = pull(close=True)
    assert engine_view().status is EngineStatus.CLOSING
    assert passes(data_dir, report.epoch, "sell")


def test_resume_when_pulled_then_new_epoch_and_old_orders_stay_dead(running: int, data_dir: Path) -> None:
    killed = pull().epoch
    view = engine_resume(by="test", reason="test")
    assert view.status is EngineStatus.RUNNING
    assert view.epoch > killed
    assert passes(data_dir, view.epoch)
    assert not passes(data_dir, running)
    assert not passes(data_dir, killed)


def test_resume_when_not_pulled_then_refused(running: int) -> None:
    with pytest.raises(TransitionRefusedError, match="not pulled"):
        engine_resume(by="test", reason="test")


def test_resume_when_closing_then_refused_and_stop_ends_it(running: int, data_dir: Path) -> None:
    report = pull(close=True)
    with pytest.raises(TransitionRefusedError) as raised:
        engine_resume(by="test", reason="test")
    assert "Stop the engine" in raised.value.remedy
    assert engine_stop(by="test", reason="done").status is EngineStatus.STOPPED
    assert not passes(data_dir, report.epoch, "sell")
    view = engine_start(by="test", reason="test")
    assert passes(data_dir, view.epoch)


@pytest.mark.parametrize("act", [engine_start, engine_pause, engine_stop])
def test_operate_when_pulled_then_refused(running: int, act: Callable[..., object]) -> None:
    pull()
    with pytest.raises(TransitionRefusedError, match="kill switch is pulled"):
        act(by="test", reason="test")


def test_operate_when_nothing_changes_then_no_new_epoch(running: int) -> None:
    assert engine_start(by="test", reason="again").epoch == running


# -- restart: database and latch compared, the stricter wins ---------------------------------------


def test_prepare_when_only_latch_knows_of_kill_then_database_learns_it(running: int, data_dir: Path) -> None:
    latch_write(data_dir, Latch(pulled="emergency_stopped", epoch=running + 1, by="ada", reason="fire"))
    view = engine_view()
    assert view.status is EngineStatus.EMERGENCY_STOPPED
    assert view.degraded
    installation_prepare(mode="sandbox")
    row = EngineState.objects.get()
    assert (row.status, row.changed_by, row.reason) == ("emergency_stopped", "ada", "fire")
    assert not engine_view().degraded


def test_prepare_when_only_database_knows_of_kill_then_latch_learns_it(running: int, data_dir: Path) -> None:
    EngineState.objects.update(status="emergency_stopped", epoch=running + 1)
    installation_prepare(mode="sandbox")
    latch = latch_read(data_dir)
    assert latch is not None
    assert latch.pulled == "emergency_stopped"


def test_prepare_when_latch_damaged_then_everything_stops_until_resume(running: int, data_dir: Path) -> None:
    (data_dir / FILE_NAME).write_text("rubbish")
    installation_prepare(mode="sandbox")
    assert EngineState.objects.get().status == "emergency_stopped"
    view = engine_resume(by="test", reason="looked at it")
    assert passes(data_dir, view.epoch)


def test_resume_when_it_died_half_way_then_still_shut(running: int, data_dir: Path) -> None:
    killed = pull().epoch
    latch_write(
        data_dir, Latch(pulled="", epoch=killed + 1)
    )  # the latch is lifted first, then the process died
    assert engine_view().status is EngineStatus.EMERGENCY_STOPPED
    killswitch_settle()
    assert not any(passes(data_dir, killed + step, "sell") for step in (-1, 0, 1))
    assert passes(data_dir, engine_resume(by="test", reason="again").epoch)


# -- a locked database ------------------------------------------------------------------------------


_HOLD_SQLITE = """
import sqlite3, sys
connection = sqlite3.connect(sys.argv[1], isolation_level=None)
connection.execute("BEGIN IMMEDIATE")
connection.execute("UPDATE state_enginestate SET reason = 'held'")
print("held", flush=True)
sys.stdin.read()
"""
_HOLD_POSTGRES = """
import psycopg, sys
connection = psycopg.connect(sys.argv[1])
connection.execute("UPDATE state_enginestate SET reason = 'held'")
print("held", flush=True)
sys.stdin.read()
connection.rollback()
"""


def hold_command() -> list[str]:
    parameters = connection.settings_dict
    if connection.vendor == "sqlite":
        return [sys.executable, "-c", _HOLD_SQLITE, str(parameters["NAME"])]
    names = {"dbname": "NAME", "host": "HOST", "port": "PORT", "user": "USER", "password": "PASSWORD"}
    dsn = " ".join(f"{name}='{parameters[key]}'" for name, key in names.items() if parameters[key])
    return [sys.executable, "-c", _HOLD_POSTGRES, dsn]


@pytest.fixture
def write_lock(transactional_db: None) -> Iterator[Callable[[], None]]:
    """Another process that holds the lock which a kill's write needs; call to let go."""
    installation_prepare(mode="sandbox")
    engine_start(by="test", reason="test")
    child = subprocess.Popen(hold_command(), stdin=subprocess.PIPE, stdout=subprocess.PIPE)
    assert child.stdout is not None
    assert child.stdout.readline() == b"held\n"

    def let_go() -> None:
        child.communicate(timeout=10)

    yield let_go
    if child.poll() is None:
        let_go()


def wait_until(fulfilled: Callable[[], bool], *, seconds: float = 12) -> None:
    deadline = time.monotonic() + seconds
    while not fulfilled():
        assert time.monotonic() < deadline, "waited in vain"
        time.sleep(0.02)


def end_late_writes() -> None:
    for thread in threading.enumerate():
        if thread.name == "killswitch":
            thread.join(timeout=15)


@pytest.mark.parametrize("close", [False, True])
def test_pull_when_database_locked_then_returns_in_time_and_nothing_passes(
    write_lock: Callable[[], None], data_dir: Path, close: bool
) -> None:
    epoch = EngineState.objects.get().epoch
    started = time.monotonic()
    report = pull(close=close)
    took_ms = (time.monotonic() - started) * 1000
    assert took_ms < KILL_MAX_MS
    assert report.latch_written
    assert report.drained
    assert not report.database_written
    assert report.is_effective
    assert EngineState.objects.get().status == "running"
    assert engine_view().status is EngineStatus.EMERGENCY_STOPPED
    assert not any(passes(data_dir, item, "sell") for item in (epoch, report.epoch))
    write_lock()
    killswitch_settle()
    row = EngineState.objects.get()
    assert row.status == ("closing" if close else "emergency_stopped")
    assert row.epoch > epoch
    assert passes(data_dir, row.epoch, "sell") is close
    end_late_writes()
    assert EngineState.objects.get().epoch == row.epoch
    assert Event.objects.filter(payload__after=row.status).count() == 1


def test_pull_when_late_write_comes_after_resume_then_engine_stays_resumed(
    write_lock: Callable[[], None], data_dir: Path
) -> None:
    pull()
    write_lock()
    end_late_writes()
    view = engine_resume(by="test", reason="test")
    end_late_writes()
    assert engine_view().status is EngineStatus.RUNNING
    assert passes(data_dir, view.epoch)


# -- senders in flight --------------------------------------------------------------------------------


def test_pull_when_send_in_flight_then_waits_for_its_end(transactional_db: None, data_dir: Path) -> None:
    installation_prepare(mode="sandbox")
    epoch = engine_start(by="test", reason="test").epoch
    within, ended = threading.Event(), []

    def send() -> None:
        with passage(epoch=epoch, side="buy", data_dir=data_dir):
            within.set()
            time.sleep(0.2)
            ended.append(time.monotonic())
        connection.close()

    sender = threading.Thread(target=send)
    sender.start()
    assert within.wait(5)
    report = pull()
    returned = time.monotonic()
    sender.join()
    assert report.drained
    assert ended[0] <= returned
    assert report.duration_ms < KILL_MAX_MS


def test_pull_when_send_hangs_then_returns_in_time_and_says_so(
    transactional_db: None, data_dir: Path
) -> None:
    installation_prepare(mode="sandbox")
    epoch = engine_start(by="test", reason="test").epoch
    within, let_go = threading.Event(), threading.Event()

    def hang() -> None:
        with passage(epoch=epoch, side="buy", data_dir=data_dir):
            within.set()
            let_go.wait(10)
        connection.close()

    sender = threading.Thread(target=hang)
    sender.start()
    assert within.wait(5)
    report = pull()
    let_go.set()
    sender.join()
    assert not report.drained
    assert not report.is_effective
    assert report.duration_ms < KILL_MAX_MS


_SENDER = """
import sys, time
from pathlib import Path
import django
django.setup()
from django.db import connection
connection.settings_dict["NAME"] = sys.argv[1]
from apps.domain.errors import EpochClosedError
from apps.state.fence import passage
data_dir, epoch, log = Path(sys.argv[2]), int(sys.argv[3]), Path(sys.argv[4]).open("a")
refused = 0
while refused < 200:
    try:
        with passage(epoch=epoch, side="buy", data_dir=data_dir):
            log.write(f"{time.monotonic_ns()}\\n"); log.flush()
            time.sleep(0.003)
    except EpochClosedError:
        refused += 1
        time.sleep(0.002)
"""


def test_pull_when_processes_and_threads_send_without_pause_then_none_passes_afterwards(
    transactional_db: None, data_dir: Path
) -> None:
    installation_prepare(mode="sandbox")
    epoch = engine_start(by="test", reason="test").epoch
    database = str(connection.settings_dict["NAME"])
    logs = [data_dir / f"sent-{number}" for number in range(2)]
    environment = {**os.environ, "DJANGO_SETTINGS_MODULE": "dexsniper.settings"}
    children = [
        subprocess.Popen(
            [sys.executable, "-c", _SENDER, database, str(data_dir), str(epoch), str(log)], env=environment
        )
        for log in logs
    ]
    sent: list[int] = []
    stop = threading.Event()

    def send() -> None:
        while not stop.is_set():
            try:
                with passage(epoch=epoch, side="buy", data_dir=data_dir):
                    sent.append(time.monotonic_ns())
                    time.sleep(0.003)
            except EpochClosedError:
                time.sleep(0.001)
        connection.close()

    threads = [threading.Thread(target=send) for _ in range(4)]
    for thread in threads:
        thread.start()
    wait_until(lambda: all(log.exists() and log.stat().st_size > 200 for log in logs), seconds=30)
    report = pull()
    returned = time.monotonic_ns()
    time.sleep(0.3)
    stop.set()
    for thread in threads:
        thread.join()
    for child in children:
        assert child.wait(30) == 0
    stamps = sent + [int(line) for log in logs for line in log.read_text().split()]
    assert report.drained
    assert report.duration_ms < KILL_MAX_MS
    assert len(stamps) > 50
    assert max(stamps) < returned


# -- a disk that takes nothing ------------------------------------------------------------------------


def test_pull_when_latch_cannot_be_replaced_then_database_stops_everything(
    running: int, data_dir: Path
) -> None:
    (data_dir / FILE_NAME).unlink()
    (data_dir / FILE_NAME).mkdir()  # a rename onto it fails, even for root
    report = pull()
    assert not report.latch_written
    assert report.database_written
    assert report.is_effective
    assert not passes(data_dir, running, "sell")
    assert EngineState.objects.get().status == "emergency_stopped"


def test_latch_when_written_then_file_is_whole_json(data_dir: Path) -> None:
    latch_write(data_dir, Latch(pulled="closing", epoch=7, by="x" * 2_000, reason="y" * 2_000))
    assert json.loads((data_dir / FILE_NAME).read_text())["epoch"] == 7
    assert latch_read(data_dir) is not None
    assert [item.name for item in data_dir.iterdir()] == [FILE_NAME]
