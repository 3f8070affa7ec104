"""Look at everything and say how to mend what is wrong."""

from __future__ import annotations

import json
import sys
from dataclasses import asdict
from typing import Any

from django.core.management.base import BaseCommand, CommandParser

from dexsniper.health import Check, all_checks

_SIGNS = {"ok": "ok     ", "warning": "WARNING", "fault": "FAULT  "}


class Command(BaseCommand):
    help = (
        "Check environment, database, broker, chains, wallets and configuration; says how to mend each fault."
    )
    requires_migrations_checks = False

    def add_arguments(self, parser: CommandParser) -> None:
        """Declare the options."""
        parser.add_argument("--json", action="store_true", help="print one JSON object")

    def handle(self, *args: Any, **options: Any) -> None:
        """Print all checks; the exit code is 1 when there is a fault."""
        checks: list[Check] = []
        for check in all_checks():
            checks.append(check)
            if not options["json"]:
                self._print(check)
        faults = sum(check.level == "fault" for check in checks)
        if options["json"]:
            self.stdout.write(json.dumps({"ok": not faults, "checks": [asdict(check) for check in checks]}))
        else:
            self.stdout.write(f"{len(checks)} checks, {faults} faults")
        if faults:
            sys.exit(1)

    def _print(self, check: Check) -> None:
        style = {"ok": self.style.SUCCESS, "warning": self.style.WARNING, "fault": self.style.ERROR}[
            check.level
        ]
        self.stdout.write(f"{style(_SIGNS[check.level])} {check.area:<14} {check.name}: {check.detail}")
        if check.remedy:
            self.stdout.write(f"{'':23}→ {check.remedy}")
