"""Measure all long figures of the project and write them to a table."""

from __future__ import annotations

import json
import os
import platform
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser
from django.utils import timezone

from dexsniper.env import BASE_DIR, child_environment
from dexsniper.proof import PROOFS, Measured, Proof, table, value_at

_PAGE = BASE_DIR / "docs" / "proof.md"
_KEPT = BASE_DIR / "var" / "proof"
_TAIL_LENGTH = 200
_GIB = 1024**3


class Command(BaseCommand):
    """``manage.py prove``: one figure after the other, each kept as soon as it is measured."""

    help = "Measures all long figures one after the other and writes docs/proof.md. Started again, it goes on where it was."
    requires_system_checks = []

    def add_arguments(self, parser: CommandParser) -> None:
        """Declare the options."""
        parser.add_argument("--quick", action="store_true", help="the short form of each, minutes in all")
        parser.add_argument("--fresh", action="store_true", help="measure anew what was measured before")
        parser.add_argument("--only", nargs="+", metavar="KEY", choices=[item.key for item in PROOFS])
        parser.add_argument("--page", type=Path, default=_PAGE, help="write there instead of docs/proof.md")
        parser.add_argument("--kept", type=Path, default=_KEPT, help="where each report is kept")

    def handle(self, *args: Any, **options: Any) -> None:
        """Measure what is missing, write the page, and fail when an aim was missed."""
        is_quick, kept = options["quick"], options["kept"] / ("quick" if options["quick"] else "long")
        kept.mkdir(parents=True, exist_ok=True)
        options["page"].parent.mkdir(parents=True, exist_ok=True)
        found: list[Measured] = []
        for proof in PROOFS:
            command = proof.quick if is_quick else proof.command
            file = kept / f"{proof.key}.json"
            is_wanted = command and (not options["only"] or proof.key in options["only"])
            if is_wanted and (options["fresh"] or _stale(file, command)):
                self.stdout.write(f"prove: {' '.join(command)}")
                file.write_text(json.dumps(_measure(proof, command)), encoding="utf-8")
            if command and file.is_file():
                found.append(_read(proof, file))
                options["page"].write_text(
                    table(found, machine=machine(), is_quick=is_quick), encoding="utf-8"
                )
        self.stdout.write(f"wrote {options['page']}")
        missed = [
            f"{item.proof.key}: {aim.name}"
            for item in found
            for aim in item.proof.aims
            if aim.met(value_at(item.report, aim.path)) is False
        ]
        if missed:
            raise CommandError("aims missed or not measured:\n" + "\n".join(missed))


def _stale(file: Path, command: tuple[str, ...]) -> bool:
    """Tell whether there is no report of this very command, or one of a failure."""
    try:
        kept = json.loads(file.read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return True
    return bool(kept["fault"]) or kept["command"] != list(command)


def _measure(proof: Proof, command: tuple[str, ...]) -> dict[str, Any]:
    kept: dict[str, Any] = {
        "command": list(command),
        "at": f"{timezone.now():%Y-%m-%d %H:%M}",
        "load": round(os.getloadavg()[0], 1),
        "report": {},
        "fault": "",
    }
    try:
        done = subprocess.run(
            [sys.executable, str(BASE_DIR / "manage.py"), *command],
            cwd=BASE_DIR,
            env=child_environment(),
            capture_output=True,
            text=True,
            timeout=proof.time_max_s,
            check=False,
        )
    except subprocess.TimeoutExpired:
        return kept | {"fault": f"took more than {proof.time_max_s} s"}
    try:
        kept["report"] = json.loads(done.stdout[done.stdout.index("{") :])
    except ValueError:
        words = (done.stderr or done.stdout).strip().splitlines()
        kept["fault"] = (words[-1] if words else "no report")[:_TAIL_LENGTH].replace("|", "/")
    return kept


def _read(proof: Proof, file: Path) -> Measured:
    kept: Mapping[str, Any] = json.loads(file.read_text(encoding="utf-8"))
    return Measured(
        proof=proof,
        command="manage.py " + " ".join(kept["command"]),
        at=kept["at"],
        load=kept["load"],
        report=kept["report"],
        fault=kept["fault"],
    )


def machine() -> str:
    """Return what was measured on: cores, memory, processor and versions."""
    memory = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") / _GIB
    return (
        f"{os.cpu_count()} cores, {memory:.0f} GiB of memory, {_processor()}, {platform.system()},"
        f" Python {platform.python_version()}"
    )


def _processor() -> str:
    try:
        lines = Path("/proc/cpuinfo").read_text(encoding="utf-8", errors="replace").splitlines()
    except OSError:
        return platform.processor() or platform.machine()
    names = [line.partition(":")[2].strip() for line in lines if line.startswith("model name")]
    return names[0] if names else platform.machine()
