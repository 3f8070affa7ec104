"""What commands that measure the system need: an installation that vanishes, and its processes at work beside them."""

from __future__ import annotations

import asyncio
import json
import os
import secrets
import signal
import subprocess
import sys
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from django.core.management.base import CommandError

from dexsniper.env import BASE_DIR, child_environment
from dexsniper.management.commands.demo import free_ports
from dexsniper.supervisor import ChildSpec, Supervisor


class Crew:
    """The processes that run alongside."""

    def __init__(self, supervisor: Supervisor) -> None:
        self._supervisor = supervisor

    def kill(self, name: str) -> bool:
        """End a process at once, as a power cut would; False when it does not run. It is started again by itself."""
        pid = self._supervisor.pids.get(name)
        if pid is None:
            return False
        try:
            os.kill(pid, signal.SIGKILL)
        except ProcessLookupError:
            return False
        return True

    @property
    def restarts(self) -> dict[str, int]:
        """Return how often each was started again, where it was."""
        return {name: count for name, count in self._supervisor.restarts.items() if count}


@contextmanager
def at_work(specs: Sequence[ChildSpec], *, ready_timeout_s: float = 90.0) -> Iterator[Crew]:
    """Run these processes under a supervisor in a thread of its own; they answer on their ports once it yields.

    Raises TimeoutError when they do not come up.
    """
    supervisor = Supervisor(specs, cwd=BASE_DIR, colour=False)
    with ThreadPoolExecutor(1, thread_name_prefix="supervisor") as pool:
        loop = pool.submit(asyncio.new_event_loop).result()
        ready = asyncio.Event()
        run = pool.submit(loop.run_until_complete, supervisor.run(on_ready=ready))
        try:
            asyncio.run_coroutine_threadsafe(asyncio.wait_for(ready.wait(), ready_timeout_s), loop).result()
            yield Crew(supervisor)
        finally:
            loop.call_soon_threadsafe(supervisor.stop)
            run.result()
            pool.submit(loop.close)


def run_apart(
    arguments: Sequence[str], *, folder: Path, time_max_s: int, **environment: str
) -> dict[str, Any]:
    """Run a command of ``manage.py`` in a sandbox of its own in ``folder``; return what it writes to its ``--inner`` file.

    Raises CommandError with the end of its output.
    """
    port, chain_port = free_ports()
    report, log_path = folder / "report.json", folder / "run.log"
    variables = {
        "DEXSNIPER_MODE": "sandbox",
        "DEXSNIPER_DATA_DIR": str(folder),
        "DEXSNIPER_DATABASE_URL": "",
        "DEXSNIPER_REDIS_URL": "",
        "DEXSNIPER_PORT": str(port),
        "DEXSNIPER_SANDBOX_PORT_BASE": str(chain_port),
        "DEXSNIPER_ADMIN_PASSWORD": secrets.token_urlsafe(16),
        "DEXSNIPER_AUTOSTART": "true",
        "DEXSNIPER_LOG_LEVEL": "WARNING",
        **environment,
    }
    argv = [sys.executable, str(BASE_DIR / "manage.py"), *arguments, "--inner", str(report)]
    with log_path.open("wb") as log:
        try:
            done = subprocess.run(
                argv,
                env=child_environment(**variables),
                cwd=BASE_DIR,
                stdout=log,
                stderr=subprocess.STDOUT,
                timeout=time_max_s,
                check=False,
            )
        except subprocess.TimeoutExpired:
            raise CommandError(f"the measurement took more than {time_max_s} s") from None
    if not report.is_file():
        lines = log_path.read_text(encoding="utf-8", errors="replace").splitlines()[-40:]
        raise CommandError("\n".join([f"the measurement failed with code {done.returncode}", *lines]))
    found: dict[str, Any] = json.loads(report.read_text(encoding="utf-8"))
    return found
