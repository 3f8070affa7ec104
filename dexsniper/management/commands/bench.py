"""Measure how fast and how large the system is, on local chains that are started and stopped for it."""

from __future__ import annotations

import importlib
import json
import os
import shutil
import tempfile
from collections.abc import Sequence
from contextlib import AbstractContextManager, nullcontext
from importlib.util import find_spec
from inspect import signature
from pathlib import Path
from typing import Any

from django.conf import settings
from django.core.management.base import BaseCommand, CommandError, CommandParser

from apps.state.console import answer, plain_errors
from dexsniper.alongside import at_work, run_apart
from dexsniper.processes import broker_spec, engine_specs, web_spec

#: Subject -> the module that measures it, by ``run() -> {"figures", "baseline", "ratio"}``. One that is not there is not
#: offered. Those of ``_APART`` get an installation of their own.
SUBJECTS = {
    "analyse": "apps.sandbox.bench.analyse",
    "api": "apps.api.bench.requests",
    "discovery": "apps.sandbox.bench.discovery",
    "evaluate": "apps.sandbox.bench.evaluate",
    "execute": "apps.sandbox.bench.execute",
    "fanout": "apps.sandbox.bench.fanout",
    "hops": "apps.sandbox.bench.hops",
    "killswitch": "apps.sandbox.bench.killswitch",
    "memory": "apps.sandbox.bench.memory",
    "quotes": "apps.engine.bench.quotes",
    "sockets": "apps.api.bench.sockets",
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
        parser.add_argument(
            "--seconds", type=int, help="how long to measure, where the subject takes its time"
        )
        parser.add_argument("--inner", metavar="FILE", help="internal: measure here, write to this file")

    def handle(self, *args: Any, **options: Any) -> None:
        """Measure one subject."""
        name = options["subject"]
        with plain_errors():
            if options["inner"]:
                _inner(name, Path(options["inner"]), seconds=options["seconds"])
                return
            apart = _apart if name in _APART else _measured
            report = apart(name, seconds=options["seconds"])
        answer(self, as_json=options["json"], fields=report, text=text_of(report))


def _is_there(module: str) -> bool:
    try:
        return find_spec(module) is not None
    except ModuleNotFoundError:  # its package is not there either
        return False


def _measured(name: str, *, seconds: int | None) -> dict[str, Any]:
    run = importlib.import_module(SUBJECTS[name]).run
    if seconds is not None and "seconds" not in signature(run).parameters:
        raise CommandError(f"{name} takes as long as it takes: leave --seconds out")
    report: dict[str, Any] = {"name": name, **(run() if seconds is None else run(seconds=seconds))}
    # What else the machine had to do: times taken on a busy one say little about an idle one.
    report["figures"] |= {"processors": os.cpu_count(), "load_average_1m": round(os.getloadavg()[0], 1)}
    return report


def _inner(name: str, file: Path, *, seconds: int | None) -> None:
    from dexsniper.management.commands.up import prepare

    prepare(settings.ENV, say=print)
    with _processes(getattr(importlib.import_module(SUBJECTS[name]), "WORKERS", ())):
        found = _measured(name, seconds=seconds)
    file.write_text(json.dumps(found), encoding="utf-8")


def _processes(names: Sequence[str]) -> AbstractContextManager[object]:
    """Keep these processes of the system at work meanwhile: those that the subject names as its ``WORKERS``."""
    if not names:
        return nullcontext()
    env = settings.ENV
    specs = [spec for spec in (broker_spec(env), web_spec(env), *engine_specs(env, needs=())) if spec]
    return at_work([spec for spec in specs if spec.name in names])


def _apart(name: str, *, seconds: int | None) -> dict[str, Any]:
    """Measure in a process and data folder of its own, which vanish afterwards."""
    folder = Path(tempfile.mkdtemp(prefix="dexsniper-bench-"))
    time_max_s: int = getattr(importlib.import_module(SUBJECTS[name]), "TIME_MAX_S", _TIME_MAX_S)
    try:
        length = [] if seconds is None else ["--seconds", str(seconds)]
        return run_apart(["bench", name, *length], folder=folder, time_max_s=time_max_s)
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def text_of(report: dict[str, Any]) -> str:
    """Return a report for people."""
    return "\n".join(_lines(report))


def _lines(report: dict[str, Any], *, indent: str = "") -> list[str]:
    lines: list[str] = []
    for key, value in report.items():
        if isinstance(value, dict):
            lines += [f"{indent}{key}", *_lines(value, indent=f"{indent}  ")]
        else:
            lines.append(f"{indent}{key}  {value}")
    return lines
