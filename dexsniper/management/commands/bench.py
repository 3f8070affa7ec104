"""Measure how fast and how large the system is, on local chains that are started and stopped for it."""

from __future__ import annotations

import importlib
import json
import os
import secrets
import shutil
import subprocess
import sys
import tempfile
from importlib.util import find_spec
from pathlib import Path
from typing import Any

from django.conf import settings
from django.core.management.base import BaseCommand, CommandError, CommandParser

from apps.state.console import answer, plain_errors
from dexsniper.env import BASE_DIR, child_environment
from dexsniper.management.commands.demo import free_ports

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
#: A measurement takes up to a minute; setting up and tearing down come on top.
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
    file.write_text(json.dumps(_measured(name)), encoding="utf-8")


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
    try:
        done = subprocess.run(
            argv,
            env=environment,
            cwd=BASE_DIR,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            timeout=_TIME_MAX_S,
            check=False,
        )
        if not report.is_file():
            tail = "\n".join(done.stdout.decode(errors="replace").splitlines()[-40:])
            raise CommandError(f"the measurement failed with code {done.returncode}\n{tail}")
        found: dict[str, Any] = json.loads(report.read_text(encoding="utf-8"))
        return found
    except subprocess.TimeoutExpired:
        raise CommandError(f"the measurement took more than {_TIME_MAX_S} s") from None
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
