"""Measure how fast and how large the system is, on local chains that are started and stopped for it."""

from __future__ import annotations

import asyncio
import importlib
import json
import os
import secrets
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from importlib.util import find_spec
from pathlib import Path
from typing import Any

from django.conf import settings
from django.core.management.base import BaseCommand, CommandError, CommandParser

from apps.state.console import answer, plain_errors
from dexsniper.env import BASE_DIR, child_environment
from dexsniper.management.commands.demo import free_ports
from dexsniper.processes import broker_spec, engine_specs
from dexsniper.supervisor import Supervisor

#: Subject -> the module that measures it, by ``run() -> {"figures", "baseline", "ratio"}``. One that is not there is not
#: offered. Those of ``_APART`` get an installation of their own.
SUBJECTS = {
    "analyse": "apps.sandbox.bench.analyse",
    "discovery": "apps.sandbox.bench.discovery",
    "evaluate": "apps.sandbox.bench.evaluate",
    "execute": "apps.sandbox.bench.execute",
    "fanout": "apps.sandbox.bench.fanout",
    "killswitch": "apps.sandbox.bench.killswitch",
    "memory": "apps.sandbox.bench.memory",
    "quotes": "apps.engine.bench.quotes",
}
_APART = frozenset(SUBJECTS) - {"quotes"}
#: A measurement takes up to a minute; setting up and tearing down come on top. A subject may ask for more by a
#: ``TIME_MAX_S`` of its own.
_TIME_MAX_S = 180


class Command(BaseCommand):
    help = "Measures speed and memory on local chains of its own and prints the figures."
    requires_system_checks = []

    def add_arguments(self, parser: CommandParser) -> None:
        """Declare the subjects that are there."""
        names = [name for name, module in SUBJECTS.items() if _is_there(module)]
        parser.add_argument("subject", choices=names, help="what to measure")
        parser.add_argument("--json", action="store_true", help="print one JSON object")
        parser.add_argument("--inner", metavar="FILE", help="internal: measure here, write to this file")

    def handle(self, *args: Any, **options: Any) -> None:
        """Measure one subject."""
        name = options["subject"]
        with plain_errors():
            if options["inner"]:
                _inner(name, Path(options["inner"]))
                return
            report = _apart(name) if name in _APART else _measured(name)
        answer(self, as_json=options["json"], fields=report, text="\n".join(_lines(report)))


def _is_there(module: str) -> bool:
    try:
        return find_spec(module) is not None
    except ModuleNotFoundError:  # its package is not there either
        return False


def _measured(name: str) -> dict[str, Any]:
    report: dict[str, Any] = {"name": name, **importlib.import_module(SUBJECTS[name]).run()}
    # What else the machine had to do: times taken on a busy one say little about an idle one.
    report["figures"] |= {"processors": os.cpu_count(), "load_average_1m": round(os.getloadavg()[0], 1)}
    return report


def _inner(name: str, file: Path) -> None:
    from dexsniper.management.commands.up import prepare

    prepare(settings.ENV, say=print)
    with _processes(getattr(importlib.import_module(SUBJECTS[name]), "WORKERS", ())):
        found = _measured(name)
    file.write_text(json.dumps(found), encoding="utf-8")


@contextmanager
def _processes(names: Sequence[str]) -> Iterator[None]:
    """Keep these processes of the system at work meanwhile: those that the subject names as its ``WORKERS``."""
    if not names:
        yield
        return
    specs = [spec for spec in (broker_spec(settings.ENV), *engine_specs(settings.ENV, needs=())) if spec]
    supervisor = Supervisor([spec for spec in specs if spec.name in names], cwd=BASE_DIR, colour=False)
    with ThreadPoolExecutor(1, thread_name_prefix="supervisor") as pool:
        loop = pool.submit(asyncio.new_event_loop).result()
        run = pool.submit(loop.run_until_complete, supervisor.run())
        try:
            yield
        finally:
            loop.call_soon_threadsafe(supervisor.stop)
            run.result()


def _apart(name: str) -> dict[str, Any]:
    """Measure in a process and data folder of its own, which vanish afterwards."""
    folder = Path(tempfile.mkdtemp(prefix="dexsniper-bench-"))
    port, chain_port = free_ports()
    report = folder / "report.json"
    environment = child_environment(
        DEXSNIPER_MODE="sandbox",
        DEXSNIPER_DATA_DIR=str(folder),
        DEXSNIPER_DATABASE_URL="",
        DEXSNIPER_REDIS_URL="",
        DEXSNIPER_PORT=str(port),
        DEXSNIPER_SANDBOX_PORT_BASE=str(chain_port),
        DEXSNIPER_ADMIN_PASSWORD=secrets.token_urlsafe(16),
        DEXSNIPER_AUTOSTART="true",
        DEXSNIPER_LOG_LEVEL="WARNING",
    )
    argv = [sys.executable, str(BASE_DIR / "manage.py"), "bench", name, "--inner", str(report)]
    time_max_s: int = getattr(importlib.import_module(SUBJECTS[name]), "TIME_MAX_S", _TIME_MAX_S)
    try:
        done = subprocess.run(
            argv,
            env=environment,
            cwd=BASE_DIR,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            timeout=time_max_s,
            check=False,
        )
        if not report.is_file():
            tail = "\n".join(done.stdout.decode(errors="replace").splitlines()[-40:])
            raise CommandError(f"the measurement failed with code {done.returncode}\n{tail}")
        found: dict[str, Any] = json.loads(report.read_text(encoding="utf-8"))
        return found
    except subprocess.TimeoutExpired:
        raise CommandError(f"the measurement took more than {time_max_s} s") from None
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def _lines(report: dict[str, Any], *, indent: str = "") -> list[str]:
    lines: list[str] = []
    for key, value in report.items():
        if isinstance(value, dict):
            lines += [f"{indent}{key}", *_lines(value, indent=f"{indent}  ")]
        else:
            lines.append(f"{indent}{key}  {value}")
    return lines
