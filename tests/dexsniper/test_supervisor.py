"""The supervisor: restarts what ends, ends in order, and leaves no orphan however it dies."""

from __future__ import annotations

import asyncio
import io
import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from dexsniper.supervisor import AlreadyRunningError, ChildSpec, InstanceLock, Supervisor, running_instance

_ROOT = Path(__file__).resolve().parents[2]
_SLEEPER = (sys.executable, "-c", "import time; time.sleep(600)")


def _wait_for(condition: Callable[[], bool], timeout_s: float = 10.0) -> bool:
    deadline = time.monotonic() + timeout_s
    while time.monotonic() < deadline:
        if condition():
            return True
        time.sleep(0.05)
    return condition()


def _is_alive(pid: int) -> bool:
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] != "Z"
    except FileNotFoundError:
        try:
            os.kill(pid, 0)
        except ProcessLookupError:
            return False
        return not Path("/proc").is_dir()


async def _until(condition: Callable[[], bool], timeout_s: float = 10.0) -> None:
    async with asyncio.timeout(timeout_s):
        while not condition():  # noqa: ASYNC110  # processes set no event
            await asyncio.sleep(0.02)


def _supervisor(*specs: ChildSpec) -> tuple[Supervisor, io.StringIO]:
    output = io.StringIO()
    return Supervisor(specs, cwd=_ROOT, colour=False, output=output), output


async def test_child_killed_then_restarted_and_said() -> None:
    supervisor, output = _supervisor(ChildSpec(name="sleeper", argv=_SLEEPER))
    run = asyncio.create_task(supervisor.run())
    await _until(lambda: "sleeper" in supervisor.pids)
    first = supervisor.pids["sleeper"]
    os.kill(first, signal.SIGKILL)
    await _until(lambda: supervisor.pids["sleeper"] != first)
    assert supervisor.restarts == {"sleeper": 1}
    assert "ended with signal SIGKILL" in output.getvalue()
    supervisor.stop()
    await run
    assert not _is_alive(supervisor.pids["sleeper"])


async def test_output_is_prefixed_with_the_childs_name() -> None:
    supervisor, output = _supervisor(
        ChildSpec(name="a", argv=(sys.executable, "-c", "print('hello')")),
        ChildSpec(name="longer", argv=_SLEEPER),
    )
    run = asyncio.create_task(supervisor.run())
    await _until(lambda: "hello" in output.getvalue())
    supervisor.stop()
    await run
    assert "a      │ hello" in output.getvalue()


async def test_child_that_ignores_sigterm_then_killed(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("dexsniper.supervisor._STOP_GRACE_S", 0.5)
    stubborn = "import signal,time; signal.signal(signal.SIGTERM, signal.SIG_IGN); print('up', flush=True); time.sleep(600)"
    supervisor, output = _supervisor(ChildSpec(name="stubborn", argv=(sys.executable, "-c", stubborn)))
    run = asyncio.create_task(supervisor.run())
    await _until(lambda: "up" in output.getvalue())
    supervisor.stop()
    await asyncio.wait_for(run, 8)
    assert not _is_alive(supervisor.pids["stubborn"])


@pytest.mark.parametrize(
    ("program", "limits", "words"),
    [
        (
            "import time; kept = bytearray(200 * 2**20); time.sleep(600)",
            {"memory_max_mb": 100},
            "MB of memory",
        ),
        (
            "import os, time; kept = [os.dup(1) for _ in range(60)]; time.sleep(600)",
            {"files_max": 40},
            "files",
        ),
    ],
    ids=["memory", "connections"],
)
async def test_child_that_takes_too_much_then_is_started_anew(
    program: str, limits: dict[str, int], words: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("dexsniper.supervisor._LOOK_EVERY_S", 0.2)
    supervisor, output = _supervisor(
        ChildSpec(name="glutton", argv=(sys.executable, "-c", program), **limits),  # type: ignore[arg-type]
        ChildSpec(name="modest", argv=_SLEEPER, memory_max_mb=100, files_max=40),
    )
    run = asyncio.create_task(supervisor.run())
    await _until(lambda: supervisor.restarts["glutton"] > 0)
    supervisor.stop()
    await run
    assert words in output.getvalue()
    assert supervisor.restarts["modest"] == 0


def test_supervisor_killed_then_no_orphan(tmp_path: Path) -> None:
    program = (
        "import asyncio, sys\n"
        "from pathlib import Path\n"
        "from dexsniper.supervisor import ChildSpec, Supervisor\n"
        f"spec = ChildSpec(name='s', argv=(sys.executable, '-c', \"import os,time; open({str(tmp_path / 'pid')!r},'w').write(str(os.getpid())); time.sleep(600)\"))\n"
        "asyncio.run(Supervisor([spec], cwd=Path('.'), colour=False).run())\n"
    )
    process = subprocess.Popen([sys.executable, "-c", program], cwd=_ROOT, stdout=subprocess.DEVNULL)
    try:
        pid_file = tmp_path / "pid"
        assert _wait_for(lambda: pid_file.is_file() and pid_file.read_text() != "")
        child = int(pid_file.read_text())
        process.kill()
        process.wait()
        assert _wait_for(lambda: not _is_alive(child)), "the child outlived its killed supervisor"
    finally:
        process.kill()
        process.wait()


def test_second_instance_on_one_folder_then_refused_with_remedy(tmp_path: Path) -> None:
    with InstanceLock(tmp_path):
        with pytest.raises(AlreadyRunningError, match="Stop it first") as caught:
            InstanceLock(tmp_path).__enter__()
        assert str(os.getpid()) in str(caught.value)
    with InstanceLock(tmp_path):
        pass
    assert running_instance(tmp_path) is None


def test_look_at_the_lock_then_holder_is_told_and_nothing_is_taken(tmp_path: Path) -> None:
    assert running_instance(tmp_path / "nowhere") is None
    with InstanceLock(tmp_path):
        assert running_instance(tmp_path) == str(os.getpid())
        assert running_instance(tmp_path) == str(os.getpid())
    with InstanceLock(tmp_path):
        pass


async def test_child_that_needs_another_then_started_once_that_answers() -> None:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    server = f"import socket,time; time.sleep(0.5); s=socket.create_server(('127.0.0.1',{port})); print('open'); time.sleep(600)"
    supervisor, output = _supervisor(
        ChildSpec(name="late", argv=(sys.executable, "-c", "print('late')"), needs=("server",)),
        ChildSpec(name="server", argv=(sys.executable, "-u", "-c", server), ready_port=port),
        ChildSpec(name="other", argv=_SLEEPER),
    )
    ready = asyncio.Event()
    run = asyncio.create_task(supervisor.run(on_ready=ready))
    await _until(lambda: "other" in supervisor.pids)
    assert "late" not in supervisor.pids
    assert not ready.is_set()
    await _until(lambda: "│ late" in output.getvalue())
    assert "│ open" in output.getvalue()
    await asyncio.wait_for(ready.wait(), 5)
    supervisor.stop()
    await run


async def test_stopped_before_what_is_needed_answers_then_ends_at_once_and_is_never_ready() -> None:
    supervisor, _ = _supervisor(
        ChildSpec(name="silent", argv=_SLEEPER, ready_port=1),
        ChildSpec(name="late", argv=_SLEEPER, needs=("silent",)),
    )
    ready = asyncio.Event()
    run = asyncio.create_task(supervisor.run(on_ready=ready))
    await _until(lambda: "silent" in supervisor.pids)
    supervisor.stop()
    await asyncio.wait_for(run, 8)
    assert not ready.is_set()
    assert "late" not in supervisor.pids


async def test_noise_then_not_shown() -> None:
    program = "print('worth it'); print('Warning: overcommit'); print(); print('the end', flush=True); import time; time.sleep(600)"
    supervisor, output = _supervisor(
        ChildSpec(name="a", argv=(sys.executable, "-c", program), noise=("overcommit",))
    )
    run = asyncio.create_task(supervisor.run())
    await _until(lambda: "the end" in output.getvalue())
    supervisor.stop()
    await run
    assert [line.partition("│ ")[2] for line in output.getvalue().splitlines()] == ["worth it", "the end"]
