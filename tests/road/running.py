"""A whole installation in processes of its own, as a person starts it."""

from __future__ import annotations

import json
import os
import selectors
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

from dexsniper.management.commands.demo import free_ports
from tests.programs import ROOT

READY_MAX_S = 90.0
STOP_MAX_S = 40.0
ANSWER_MAX_S = 120.0
#: What in its command line tells a child of the supervisor.
MARKS = {
    "broker": "valkey",
    "chain-base": "31338453",
    "chain-bsc": "31330056",
    "sandbox": "sandbox run",
    "listener": "manage.py listen",
    "evaluate": "--hostname evaluate@",
    "execute": "--hostname execute@",
    "beat": " beat ",
}


class Console:
    """A prepared process of the installation that does what it is asked."""

    def __init__(self, environment: dict[str, str]) -> None:
        self._process = subprocess.Popen(
            [sys.executable, "-m", "tests.road.console"],
            cwd=ROOT,
            env=environment,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )
        assert self._line() == "ready"

    def ask(self, act: str, **arguments: Any) -> Any:
        """Return the act's result."""
        assert self._process.stdin is not None
        self._process.stdin.write(json.dumps([act, arguments]) + "\n")
        self._process.stdin.flush()
        answer = self._line()
        assert "error" not in answer, answer
        return answer["result"]

    def _line(self) -> Any:
        assert self._process.stdout is not None
        with selectors.DefaultSelector() as selector:
            selector.register(self._process.stdout, selectors.EVENT_READ)
            assert selector.select(ANSWER_MAX_S), "the console does not answer"
        return json.loads(self._process.stdout.readline())

    def close(self) -> None:
        """End the process."""
        self._process.kill()
        self._process.communicate()


class Running:
    """One installation: start it, kill parts of it, look at it."""

    def __init__(self, folder: Path, *, pace: float) -> None:
        web, chains = free_ports()
        kept = {name: value for name, value in os.environ.items() if not name.startswith("DEXSNIPER_")}
        self.environment = kept | {
            "DJANGO_SETTINGS_MODULE": "dexsniper.settings",
            "DEXSNIPER_MODE": "sandbox",
            "DEXSNIPER_DATA_DIR": str(folder),
            "DEXSNIPER_PORT": str(web),
            "DEXSNIPER_SANDBOX_PORT_BASE": str(chains),
            "DEXSNIPER_SANDBOX_PACE": str(pace),
            "DEXSNIPER_AUTOSTART": "true",
            "DEXSNIPER_ADMIN_PASSWORD": "never-used-in-this-test",
        }
        self.log = folder / "up.log"
        self._supervisor: subprocess.Popen[bytes] | None = None
        self.console: Console | None = None

    # -- life -----------------------------------------------------------------------------
    def start(self) -> None:
        """Start the supervisor and wait for all its children."""
        with self.log.open("ab") as log:
            self._supervisor = subprocess.Popen(
                [sys.executable, "manage.py", "up", "--no-web", "--no-colour"],
                cwd=ROOT,
                env=self.environment,
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=subprocess.STDOUT,
                start_new_session=True,
            )
        self.wait_for(lambda: set(MARKS) <= set(self.children()), READY_MAX_S, "children")

    def open_console(self) -> Console:
        """Return a prepared process, made at the first call; the database must be there."""
        if self.console is None:
            self.console = Console(self.environment)
        return self.console

    def stop(self) -> None:
        """Stop as with Ctrl-C; nothing may be left."""
        if self.console is not None:
            self.console.close()
            self.console = None
        if self._supervisor is None:
            return
        left = list(self.children().values())
        if self._supervisor.poll() is None:
            self._supervisor.send_signal(signal.SIGINT)
            try:
                self._supervisor.wait(timeout=STOP_MAX_S)
            except subprocess.TimeoutExpired:
                self._supervisor.kill()
                self._supervisor.wait()
        self.wait_for(lambda: not any(map(is_alive, left)), STOP_MAX_S, "children's end")

    def kill(self, name: str) -> bool:
        """Kill a child; False when it is not there at the moment."""
        pid = self.children().get(name)
        if pid is None:
            return False
        os.kill(pid, signal.SIGKILL)
        return True

    def kill_supervisor(self) -> list[int]:
        """Kill the supervisor; return its children's process ids."""
        assert self._supervisor is not None
        children = list(self.children().values())
        self._supervisor.kill()
        self._supervisor.wait()
        return children

    # -- looking --------------------------------------------------------------------------
    def children(self) -> dict[str, int]:
        """Return the supervisor's children that we know, by name."""
        assert self._supervisor is not None
        listed = subprocess.run(
            ["ps", "-axww", "-o", "pid=,ppid=,command="], capture_output=True, text=True, check=True
        )
        found: dict[str, int] = {}
        for line in listed.stdout.splitlines():
            pid, parent, command = line.split(None, 2)
            if int(parent) == self._supervisor.pid:
                found |= {name: int(pid) for name, mark in MARKS.items() if mark in command}
        return found

    def wait_for(self, condition: Callable[[], bool], timeout_s: float, what: str) -> None:
        """Wait until the condition holds; fail with the log's end."""
        deadline = time.monotonic() + timeout_s
        while not condition():
            if time.monotonic() > deadline:
                raise AssertionError(f"no {what} within {timeout_s} s\n{self.log_end()}")
            time.sleep(0.1)

    def log_end(self, lines: int = 60) -> str:
        """Return the end of what the processes said."""
        return "\n".join(self.log.read_text(errors="replace").splitlines()[-lines:])


def is_alive(pid: int) -> bool:
    """Tell whether a process runs; one that only waits to be collected does not."""
    state = subprocess.run(
        ["ps", "-o", "state=", "-p", str(pid)], capture_output=True, text=True, check=False
    )
    return bool(state.stdout.strip()) and not state.stdout.strip().startswith("Z")
