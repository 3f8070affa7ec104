"""Prove the event log whole, and hand it out so that others can."""

from __future__ import annotations

import sys
from dataclasses import asdict
from datetime import UTC, datetime, time
from pathlib import Path
from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser
from django.utils.dateparse import parse_date, parse_datetime

from apps.domain.events import EventKind
from apps.state.console import answer
from apps.state.logic.audit_file import FileReport, file_check
from apps.state.services.audit import AuditSearch, audit_export, guards_missing
from apps.state.services.relay import audit_verify


class Command(BaseCommand):
    """``manage.py audit verify | export``."""

    help = "Proves the event log whole, or tells where it was changed; exports it as JSON lines that anybody can check."

    def add_arguments(self, parser: CommandParser) -> None:
        """Declare the acts."""
        acts = parser.add_subparsers(dest="act", required=True)
        verify = acts.add_parser("verify", help="read the whole log, or an exported file")
        verify.add_argument("--file", default="", help="check this export instead; needs no database")
        verify.add_argument(
            "--noted", default="", help="the hash of a line that you kept elsewhere; it must be there"
        )
        verify.add_argument("--json", action="store_true", help="print one JSON object")
        export = acts.add_parser("export", help="write JSON lines with their hashes")
        export.add_argument("--to", default="", help="the file to write; without it, standard output")
        for name in ("since", "until"):
            export.add_argument(
                f"--{name}", type=_moment, help="a day or a time (ISO 8601; UTC unless it says)"
            )
        export.add_argument(
            "--kind", action="append", default=[], choices=[kind.value for kind in EventKind], dest="kinds"
        )

    def handle(self, *args: Any, **options: Any) -> None:
        """Do one act; a fault makes the command fail."""
        if options["act"] == "export":
            self._export(options)
        elif options["file"]:
            self._verify_file(options)
        else:
            self._verify(options)

    def _verify(self, options: dict[str, Any]) -> None:
        report, missing = audit_verify(noted=options["noted"]), guards_missing()
        lines = [f"{report.checked} lines checked, {report.waiting} waiting for their number."]
        lines += [f"The last line is {report.position}, its hash {report.hash or '–'}."]
        lines += [f"  at {fault.position}: {fault.problem}" for fault in report.faults]
        if missing:
            lines += [f"WARNING: the database does not guard the log: {', '.join(missing)} missing."]
        fields = asdict(report) | {
            "is_whole": report.is_whole and report.has_noted,
            "guards_missing": missing,
        }
        answer(self, as_json=options["json"], fields=fields, text="\n".join(lines))
        _end(is_whole=report.is_whole, has_noted=report.has_noted)

    def _verify_file(self, options: dict[str, Any]) -> None:
        try:
            with Path(options["file"]).open(encoding="utf-8", errors="replace") as lines:
                report = file_check(lines, noted=options["noted"])
        except OSError as error:
            raise CommandError(f"{options['file']} cannot be read: {error.strerror}") from error
        fields = asdict(report) | {"is_whole": report.is_whole and report.has_noted}
        answer(self, as_json=options["json"], fields=fields, text=_text_of(report))
        _end(is_whole=report.is_whole, has_noted=report.has_noted)

    def _export(self, options: dict[str, Any]) -> None:
        search = AuditSearch(kinds=tuple(options["kinds"]), since=options["since"], until=options["until"])
        if not options["to"]:
            for line in audit_export(search):
                self.stdout.write(line, ending="")
            return
        try:
            with Path(options["to"]).open("w", encoding="utf-8") as file:
                count = sum(file.write(line) > 0 for line in audit_export(search)) - 1
        except OSError as error:
            raise CommandError(f"{options['to']} cannot be written: {error.strerror}") from error
        sys.stderr.write(f"{count} lines written to {options['to']}.\n")


def _moment(text: str) -> datetime:
    """Return a moment; a day alone is its beginning. Raises ValueError, which the parser tells."""
    moment = parse_datetime(text)
    if moment is None:
        day = parse_date(text)
        if day is None:
            raise ValueError(text)
        moment = datetime.combine(day, time())
    return moment if moment.tzinfo else moment.replace(tzinfo=UTC)


def _text_of(report: FileReport) -> str:
    lines = [f"{report.checked} lines checked; the last is {report.position}, its hash {report.hash or '–'}."]
    lines += [f"  line {fault.line}: {fault.problem}" for fault in report.faults]
    return "\n".join(lines)


def _end(*, is_whole: bool, has_noted: bool) -> None:
    if not is_whole:
        raise CommandError("The event log is not as it was written: compare with your newest backup.")
    if not has_noted:
        raise CommandError(
            "The line that you noted is not in it: lines were removed, or all were written anew."
        )
