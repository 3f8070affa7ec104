"""Export trades and lots as CSV."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser

from apps.state.console import plain_errors
from apps.trading.logic.disposals import METHODS
from apps.trading.logic.exports import FORMATS
from apps.trading.selectors import lots_export, trades_export


class Command(BaseCommand):
    """``manage.py export trades|lots``."""

    help = "Exports all movements, or lots for tax, as CSV: plain, or as Koinly and CoinTracking read it."

    def add_arguments(self, parser: CommandParser) -> None:
        """Declare the exports."""
        parser.add_argument("what", choices=("trades", "lots"))
        parser.add_argument(
            "--method", choices=METHODS, default="fifo", help="which lot a sale sold; lots only"
        )
        parser.add_argument(
            "--format", choices=FORMATS, default="plain", help="lots are plain: tax tools make their own"
        )
        parser.add_argument(
            "--since", type=_moment, help="first day or moment, UTC: 2026-01-31 or 2026-01-31T12:00"
        )
        parser.add_argument("--until", type=_moment, help="end, itself left out")
        parser.add_argument("--out", type=Path, help="file to write; without it the CSV is printed")

    def handle(self, *args: Any, **options: Any) -> None:
        """Write the CSV."""
        bounds = {"since": options["since"], "until": options["until"]}
        with plain_errors():
            if options["what"] == "trades":
                text = trades_export(form=options["format"], **bounds)
            elif options["format"] != "plain":
                raise CommandError(
                    "Koinly and CoinTracking make lots themselves: give them `export trades`, or ask for plain lots."
                )
            else:
                text = lots_export(method=options["method"], **bounds)
        if options["out"] is None:
            self.stdout.write(text, ending="")
            return
        try:
            options["out"].write_text(text, encoding="utf-8", newline="")
        except OSError as error:
            raise CommandError(f"{options['out']} cannot be written: {error.strerror}") from error
        self.stdout.write(f"{options['out']} was written.")


def _moment(given: str) -> datetime:
    found = datetime.fromisoformat(given)
    return found.replace(tzinfo=UTC) if found.tzinfo is None else found
