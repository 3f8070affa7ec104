"""Pull, inspect and lift the kill switch."""

from __future__ import annotations

from dataclasses import asdict
from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser

from apps.domain.engine import EngineStatus
from apps.state.console import answer, console_user, plain_errors
from apps.state.services.engine import (
    KillReport,
    engine_resume,
    engine_view,
    killswitch_pull,
    killswitch_settle,
    view_fields,
)

RESUME_TO = (EngineStatus.RUNNING.value, EngineStatus.PAUSED.value, EngineStatus.STOPPED.value)


class Command(BaseCommand):
    """``manage.py killswitch pull|status|resume``."""

    help = "Stops all trading at once (pull), tells how it stands (status), lets trading go on (resume)."
    requires_system_checks = []  # it must work when much else does not

    def add_arguments(self, parser: CommandParser) -> None:
        """Declare the acts."""
        acts = parser.add_subparsers(dest="act", required=True)
        pull = acts.add_parser("pull", help="sign and send nothing more")
        pull.add_argument("--close", action="store_true", help="sell all positions first; buy nothing more")
        resume = acts.add_parser("resume", help="lift the kill switch, in a new epoch")
        resume.add_argument(
            "--to", choices=RESUME_TO, default=EngineStatus.RUNNING.value, help="state to go to"
        )
        status = acts.add_parser("status", help="tell how engine and kill switch stand")
        for act in (pull, resume, status):
            act.add_argument("--json", action="store_true", help="print one JSON object")
        for act in (pull, resume):
            act.add_argument("--reason", default="", help="why, for the log")

    def handle(self, *args: Any, **options: Any) -> None:
        """Do one act."""
        with plain_errors():
            if options["act"] == "pull":
                self._pull(options)
                return
            if options["act"] == "resume":
                reason = options["reason"] or "resumed from the console"
                view = engine_resume(by=console_user(), reason=reason, to=EngineStatus(options["to"]))
            else:
                killswitch_settle()
                view = engine_view()
        fields = view_fields(view)
        text = f"{fields['status']} in epoch {view.epoch}, by {view.changed_by}: {view.reason or 'no reason given'}"
        answer(self, as_json=options["json"], fields=fields, text=text)

    def _pull(self, options: dict[str, Any]) -> None:
        report = killswitch_pull(
            by=console_user(),
            reason=options["reason"] or "pulled from the console",
            close_positions=options["close"],
        )
        fields = asdict(report) | {"is_effective": report.is_effective}
        answer(self, as_json=options["json"], fields=fields, text=_words(report, closes=options["close"]))
        if not report.is_effective:
            raise CommandError(
                "The kill switch does NOT hold: neither disk nor database took it, or a send does not end.\n"
                "  remedy: end the system's processes (Ctrl-C in `manage.py up`), then look at disk and database."
            )


def _words(report: KillReport, *, closes: bool) -> str:
    act = "Only sells pass" if closes else "Nothing is signed or sent any more"
    database = (
        "" if report.database_written else "\nThe database is locked; it is written as soon as it can be."
    )
    return f"Kill switch pulled in {report.duration_ms} ms, epoch {report.epoch}. {act}.{database}"
