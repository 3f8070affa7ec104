"""Starts and watches the processes of ``manage.py up``.

Each child runs in a session of its own, so that a Ctrl-C reaches the supervisor alone and it can stop them in order.
A guard process holds the read end of a pipe: when the supervisor dies, however it dies, the pipe closes and the guard
ends every child that is left.
"""

from __future__ import annotations

import asyncio
import contextlib
import fcntl
import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import IO

import psutil

from dexsniper.env import child_environment

_COLOURS = (36, 33, 35, 32, 34, 96, 93, 95, 92, 94)
_BACKOFF_FIRST_S, _BACKOFF_MAX_S = 0.3, 10.0
_STABLE_AFTER_S = 20.0  # a child that lived so long starts its back-off anew
_STOP_GRACE_S = 8.0
_READY_TIMEOUT_S = 30.0
_LINE_BYTES_MAX = 64 * 1024
_LOOK_EVERY_S = 5.0
_LOCK_NAME = "up.lock"
_LOCK_ATTEMPTS, _LOCK_RETRY_S = 3, 0.05


@dataclass(frozen=True, slots=True, kw_only=True)
class ChildSpec:
    """A process to keep alive.

    ``ready_port`` is a loopback TCP port that answers once it is up. ``needs`` names children that must answer before
    this one is started for the first time.
    """

    name: str
    argv: tuple[str, ...]
    environment: dict[str, str] = field(default_factory=dict)
    ready_port: int | None = None
    needs: tuple[str, ...] = ()
    quiet: bool = False  # its ordinary output is not shown
    noise: tuple[str, ...] = ()  # lines that hold one of these say nothing worth showing
    memory_max_mb: int | None = (
        None  # a child that takes more is started anew; None: it may take what it wants
    )
    files_max: int | None = None  # the same for open files and connections


class AlreadyRunningError(Exception):
    """Another supervisor works on this data folder."""


class InstanceLock:
    """Keeps a second instance away from a data folder; the kernel lets go when the holder dies."""

    def __init__(self, data_dir: Path) -> None:
        self._path = data_dir / _LOCK_NAME
        self._file: IO[str] | None = None

    def __enter__(self) -> InstanceLock:
        self._file = self._path.open("a+", encoding="utf-8")
        if not _locked(self._file):
            self._file.seek(0)
            holder = self._file.read().strip() or "unknown"
            self._file.close()
            raise AlreadyRunningError(
                f"DEX Sniper Pro is already running here (process {holder}, folder {self._path.parent}).\n"
                "Stop it first (Ctrl-C in its window), or give this one DEXSNIPER_DATA_DIR and DEXSNIPER_PORT of its own."
            )
        self._file.truncate(0)
        self._file.write(str(os.getpid()))
        self._file.flush()
        return self

    def __exit__(self, *exception: object) -> None:
        if self._file is not None:
            self._file.close()


def _locked(file: IO[str]) -> bool:
    """Take the lock; who only looks (``running_instance``) holds it for a moment, so it is tried again."""
    for attempt in range(_LOCK_ATTEMPTS):
        if attempt:
            time.sleep(_LOCK_RETRY_S)
        with contextlib.suppress(BlockingIOError):
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
            return True
    return False


def running_instance(data_dir: Path) -> str | None:
    """Return the process id of the supervisor that works on this data folder, None when there is none."""
    try:
        with (data_dir / _LOCK_NAME).open(encoding="utf-8") as file:
            try:
                fcntl.flock(file, fcntl.LOCK_SH | fcntl.LOCK_NB)
            except BlockingIOError:
                return file.read().strip() or "unknown"
    except OSError:
        return None
    return None


class Guard:
    """Ends all children when the supervisor is gone."""

    def __init__(self) -> None:
        read_end, self._write_end = os.pipe()
        self._process = subprocess.Popen(
            [sys.executable, "-c", _GUARD_PROGRAM, str(read_end)],
            pass_fds=(read_end,),
            start_new_session=True,
            stdin=subprocess.DEVNULL,
        )
        os.close(read_end)

    def tell(self, sign: str, pid: int) -> None:
        """Tell of a started ("+") or ended ("-") child."""
        with contextlib.suppress(BrokenPipeError):
            os.write(self._write_end, f"{sign}{pid}\n".encode())

    def close(self) -> None:
        """Let the guard go; children that are still told of are ended."""
        os.close(self._write_end)
        self._process.wait(timeout=_STOP_GRACE_S)


#: Kept free of imports from the project: it must start at once and depend on nothing.
_GUARD_PROGRAM = """
import os, signal, sys, time
signal.signal(signal.SIGINT, signal.SIG_IGN)
signal.signal(signal.SIGTERM, signal.SIG_IGN)
pids = set()
for line in os.fdopen(int(sys.argv[1])):
    (pids.add if line[0] == "+" else pids.discard)(int(line[1:]))
def tell(number):
    for pid in list(pids):
        try:
            os.kill(pid, number)
        except ProcessLookupError:
            pids.discard(pid)
tell(signal.SIGTERM)
deadline = time.monotonic() + 3
while pids and time.monotonic() < deadline:
    time.sleep(0.1)
    tell(0)
tell(signal.SIGKILL)
"""


class Supervisor:
    """Runs children until stopped; restarts those that end."""

    def __init__(
        self, specs: Sequence[ChildSpec], *, cwd: Path, colour: bool, output: IO[str] | None = None
    ) -> None:
        self.specs = tuple(specs)
        self.restarts: dict[str, int] = {spec.name: 0 for spec in specs}
        self.pids: dict[str, int] = {}
        self.stopping = asyncio.Event()
        self._cwd, self._colour = cwd, colour
        self._output = output or sys.stdout
        self._processes: dict[str, asyncio.subprocess.Process] = {}
        self._answers: dict[str, asyncio.Task[None]] = {}
        self._width = max((len(spec.name) for spec in specs), default=0)
        self._guard: Guard | None = None

    async def run(self, *, on_ready: asyncio.Event | None = None) -> None:
        """Start each once what it needs answers, then watch until ``stop``; ends them in reverse order."""
        self._guard = Guard()
        self._answers = {spec.name: asyncio.create_task(self._wait_ready(spec)) for spec in self.specs}
        watchers = [asyncio.create_task(self._watch(spec, index)) for index, spec in enumerate(self.specs)]
        try:
            watchers.append(asyncio.create_task(self._watch_sizes()))
            await asyncio.gather(*self._answers.values())
            if on_ready is not None and not self.stopping.is_set():
                on_ready.set()
            await self.stopping.wait()
        finally:
            self.stopping.set()
            await self._end_children()
            for watcher in watchers:
                watcher.cancel()
            await asyncio.gather(*watchers, return_exceptions=True)
            self._guard.close()

    def stop(self) -> None:
        """Ask the supervisor to end everything."""
        self.stopping.set()

    def say(self, name: str, line: str, colour: int = 37) -> None:
        """Print a line under a child's name."""
        label = f"{name:<{self._width}} │"
        if self._colour:
            label = f"\x1b[{colour}m{label}\x1b[0m"
        with contextlib.suppress(BrokenPipeError, ValueError):
            print(label, line, file=self._output, flush=True)

    async def _watch(self, spec: ChildSpec, index: int) -> None:
        delay_s = _BACKOFF_FIRST_S
        colour = _COLOURS[index % len(_COLOURS)]
        await asyncio.gather(*(self._answers[name] for name in spec.needs))
        while not self.stopping.is_set():
            started = time.monotonic()
            process = await asyncio.create_subprocess_exec(
                *spec.argv,
                cwd=self._cwd,
                env=child_environment(**spec.environment),
                stdin=asyncio.subprocess.DEVNULL,
                stdout=asyncio.subprocess.PIPE,
                stderr=asyncio.subprocess.STDOUT,
                start_new_session=True,
                limit=_LINE_BYTES_MAX,
            )
            assert self._guard is not None
            self._guard.tell("+", process.pid)
            self._processes[spec.name], self.pids[spec.name] = process, process.pid
            await self._relay(spec, process, colour)
            code = await process.wait()
            self._guard.tell("-", process.pid)
            if self.stopping.is_set():
                return
            lived_s = time.monotonic() - started
            delay_s = _BACKOFF_FIRST_S if lived_s > _STABLE_AFTER_S else min(delay_s * 2, _BACKOFF_MAX_S)
            self.restarts[spec.name] += 1
            self.say(spec.name, f"ended with {_describe(code)}; starting again in {delay_s:.1f} s", colour)
            with contextlib.suppress(TimeoutError):
                await asyncio.wait_for(self.stopping.wait(), delay_s)

    async def _watch_sizes(self) -> None:
        """Start anew what takes more memory or connections than it may: one that leaks must not take the rest along."""
        while True:
            await asyncio.sleep(_LOOK_EVERY_S)
            for index, spec in enumerate(self.specs):
                process = self._processes.get(spec.name)
                if process is None or process.returncode is not None:
                    continue
                if excess := _excess_of(spec, process.pid):
                    colour = _COLOURS[index % len(_COLOURS)]
                    self.say(spec.name, f"{excess}: starting it anew", colour)
                    with contextlib.suppress(ProcessLookupError):
                        process.send_signal(signal.SIGTERM)
                    await self._wait_end(process)

    async def _relay(self, spec: ChildSpec, process: asyncio.subprocess.Process, colour: int) -> None:
        assert process.stdout is not None
        while True:
            try:
                line = await process.stdout.readline()
            except ValueError:  # a line longer than the limit: readline has dropped it
                continue
            if not line:
                return
            text = line.decode(errors="replace").rstrip()
            if text and not spec.quiet and not any(words in text for words in spec.noise):
                self.say(spec.name, text, colour)

    async def _wait_ready(self, spec: ChildSpec) -> None:
        """Return once the child answers on its port, if it has one, or had long enough to."""
        await asyncio.gather(*(self._answers[name] for name in spec.needs))
        if spec.ready_port is None:
            return
        deadline = time.monotonic() + _READY_TIMEOUT_S
        while time.monotonic() < deadline and not self.stopping.is_set():
            if port_answers(spec.ready_port):
                return
            await asyncio.sleep(0.05)
        if not self.stopping.is_set():
            self.say(spec.name, f"does not answer on port {spec.ready_port} yet; going on without it", 31)

    async def _end_children(self) -> None:
        """End the workers first; what they depend upon (it has a ready port) only once they are gone."""
        for with_port in (False, True):
            ending = []
            for spec in reversed(self.specs):
                process = self._processes.get(spec.name)
                if (
                    (spec.ready_port is not None) is with_port
                    and process is not None
                    and process.returncode is None
                ):
                    with contextlib.suppress(ProcessLookupError):
                        process.send_signal(signal.SIGTERM)
                    ending.append(self._wait_end(process))
            await asyncio.gather(*ending)

    @staticmethod
    async def _wait_end(process: asyncio.subprocess.Process) -> None:
        try:
            await asyncio.wait_for(process.wait(), _STOP_GRACE_S)
        except TimeoutError:
            with contextlib.suppress(ProcessLookupError):
                process.kill()
            await process.wait()


def port_answers(port: int) -> bool:
    """Tell whether something listens on this loopback port."""
    with contextlib.closing(socket.socket()) as probe:
        probe.settimeout(0.2)
        return probe.connect_ex(("127.0.0.1", port)) == 0


def _excess_of(spec: ChildSpec, pid: int) -> str:
    """Return what a child takes beyond its limits, in words; "" when nothing, or when it is gone."""
    if spec.memory_max_mb is None and spec.files_max is None:
        return ""
    try:
        process = psutil.Process(pid)
        memory_mb, files = process.memory_info().rss // 2**20, process.num_fds()
    except psutil.Error:
        return ""
    if spec.memory_max_mb is not None and memory_mb > spec.memory_max_mb:
        return f"takes {memory_mb:,} MB of memory, more than {spec.memory_max_mb:,}"
    if spec.files_max is not None and files > spec.files_max:
        return f"holds {files:,} files and connections open, more than {spec.files_max:,}"
    return ""


def _describe(code: int) -> str:
    return f"signal {signal.Signals(-code).name}" if code < 0 else f"code {code}"
