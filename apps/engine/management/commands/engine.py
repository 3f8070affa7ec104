"""Start, pause and stop the engine."""

from __future__ import annotations

from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser

from apps.state.console import answer, console_user, plain_errors
from apps.state.services.engine import engine_pause, engine_start, engine_stop, engine_view, view_fields

_ACTS = {"start": engine_start, "pause": engine_pause, "stop": engine_stop}


class Command(BaseCommand):
    """``manage.py engine start|pause|stop|status``."""

    help = (
        "Lets the engine trade (start), take no more entries (pause), do nothing (stop), or tells its state."
    )

    def add_arguments(self, parser: CommandParser) -> None:
        """Declare the acts."""
        parser.add_argument("act", choices=[*_ACTS, "status"])
        parser.add_argument(
            "--sell-only", action="store_true", help="with start: sell what is held, buy nothing (as pause)"
        )
        parser.add_argument("--reason", default="", help="why, for the log")
        parser.add_argument("--json", action="store_true", help="print one JSON object")

    def handle(self, *args: Any, **options: Any) -> None:
        """Do one act."""
        with plain_errors():
            act = _ACTS.get(options["act"])
            if options["sell_only"]:
                if act is not engine_start:
                    raise CommandError("--sell-only goes with start.")
                act = engine_pause
            reason = options["reason"] or "from the console"
            view = engine_view() if act is None else act(by=console_user(), reason=reason)
        text = f"{view.mode.upper()}: {view.status.value.replace('_', ' ')} in epoch {view.epoch}"
        if view.reason:
            text += f" ({view.reason}; {view.changed_by})"
        answer(self, as_json=options["json"], fields=view_fields(view), text=text)
