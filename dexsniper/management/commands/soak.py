"""Let the whole system run under trouble for a long time, in a sandbox of its own, and tell how it stood."""

from __future__ import annotations

import importlib
import json
import shutil
import tempfile
from importlib.util import find_spec
from pathlib import Path
from typing import Any

from django.conf import settings
from django.core.management.base import BaseCommand, CommandError, CommandParser

from apps.state.console import answer, plain_errors
from dexsniper.alongside import at_work, run_apart
from dexsniper.management.commands.bench import text_of

#: Subject -> the module that soaks it: ``HELP``, ``SECONDS_DEFAULT``, ``NEEDS_WEB`` and ``run(*, seconds, seed, kill) -> report``.
#: One that is not there is not offered.
SUBJECTS = {
    "execution": "apps.sandbox.soak.execution",
    "operations": "apps.sandbox.soak.operations",
}
_SECONDS_MIN, _SECONDS_MAX = 10, 86_400
#: On top of the run: the start, what is in flight at the end, the comparison with the chains.
_AROUND_S = 300


class Command(BaseCommand):
    help = "Runs the whole system with injected faults in a sandbox of its own and prints what came of it."
    requires_system_checks = []

    def add_arguments(self, parser: CommandParser) -> None:
        """Declare the subjects that are there."""
        names = [name for name, module in SUBJECTS.items() if find_spec(module) is not None]
        parser.add_argument("subject", choices=names, help="what to soak")
        parser.add_argument("--seconds", type=int, help="how long (execution: 600, operations: 1800)")
        parser.add_argument("--seed", type=int, default=1, help="seed of market and faults (default 1)")
        parser.add_argument("--pace", type=float, default=1.0, help="new pairs a second (default 1)")
        parser.add_argument("--keep", metavar="DIR", help="keep the database and logs in this folder")
        parser.add_argument("--json", action="store_true", help="print one JSON object")
        parser.add_argument("--inner", metavar="FILE", help="internal: run here and write to this file")

    def handle(self, *args: Any, **options: Any) -> None:
        """Soak one subject."""
        name = options["subject"]
        seconds = options["seconds"] or importlib.import_module(SUBJECTS[name]).SECONDS_DEFAULT
        if not _SECONDS_MIN <= seconds <= _SECONDS_MAX:
            raise CommandError(f"--seconds must be {_SECONDS_MIN} to {_SECONDS_MAX}")
        with plain_errors():
            if options["inner"]:
                _inner(name, seconds, options["seed"], Path(options["inner"]))
                return
            report = _outer(name, seconds, options)
        answer(self, as_json=options["json"], fields=report, text=text_of(report))


def _outer(name: str, seconds: int, options: dict[str, Any]) -> dict[str, Any]:
    folder = Path(options["keep"] or tempfile.mkdtemp(prefix="dexsniper-soak-")).resolve()
    folder.mkdir(parents=True, exist_ok=True)
    try:
        return run_apart(
            ["soak", name, "--seconds", str(seconds), "--seed", str(options["seed"])],
            folder=folder,
            time_max_s=seconds + _AROUND_S,
            DEXSNIPER_SANDBOX_SEED=str(options["seed"]),
            DEXSNIPER_SANDBOX_PACE=str(options["pace"]),
        )
    finally:
        if not options["keep"]:
            shutil.rmtree(folder, ignore_errors=True)


def _inner(name: str, seconds: int, seed: int, file: Path) -> None:
    from apps.sandbox.pace import market_pause
    from dexsniper.management.commands.up import all_specs, prepare

    prepare(settings.ENV, say=print)
    market_pause()  # the run's seconds begin when everything is at work
    subject = importlib.import_module(SUBJECTS[name])
    with at_work(all_specs(settings.ENV, web=subject.NEEDS_WEB)) as crew:
        found = subject.run(seconds=seconds, seed=seed, kill=crew.kill)
        report = {"name": name, **found, "restarts": crew.restarts}
    file.write_text(json.dumps(report), encoding="utf-8")
