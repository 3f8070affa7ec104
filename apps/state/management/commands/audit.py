"""Prove the event log whole."""

from __future__ import annotations

from dataclasses import asdict
from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser

from apps.state.console import answer
from apps.state.services.relay import audit_verify


class Command(BaseCommand):
    """``manage.py audit verify``."""

    help = "Reads the whole event log and tells where it was changed, if it was."

    def add_arguments(self, parser: CommandParser) -> None:
        """Declare the act."""
        parser.add_argument("act", choices=["verify"])
        parser.add_argument("--json", action="store_true", help="print one JSON object")

    def handle(self, *args: Any, **options: Any) -> None:
        """Check the log; a fault makes the command fail."""
        report = audit_verify()
        lines = [f"{report.checked} lines checked, {report.waiting} waiting for their number."]
        lines += [f"  at {fault.position}: {fault.problem}" for fault in report.faults]
        fields = asdict(report) | {"is_whole": report.is_whole}
        answer(self, as_json=options["json"], fields=fields, text="\n".join(lines))
        if not report.is_whole:
            raise CommandError("The event log is not as it was written: compare with your newest backup.")
