"""Look at the circuit breakers and arm tripped ones before their time."""

from __future__ import annotations

from dataclasses import asdict
from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser

from apps.risk.services.breakers import BreakerView, breaker_reset, breakers_in_force
from apps.state.console import answer, console_user, plain_errors


class Command(BaseCommand):
    """``manage.py breakers status|reset NAME``."""

    help = "Tells which circuit breakers are tripped (status), and arms one before its time (reset)."

    def add_arguments(self, parser: CommandParser) -> None:
        """Declare the acts."""
        acts = parser.add_subparsers(dest="act", required=True)
        status = acts.add_parser("status", help="tell which breakers are tripped")
        reset = acts.add_parser("reset", help="arm a tripped breaker again; what it counted counts no more")
        reset.add_argument("name", help="the breaker's name, as status tells it")
        reset.add_argument("--chain", default="", help="the chain's key, for a breaker of one chain")
        reset.add_argument("--reason", default="", help="why it may; stands in the log")
        for act in (status, reset):
            act.add_argument("--json", action="store_true", help="print one JSON object")

    def handle(self, *args: Any, **options: Any) -> None:
        """Do one act."""
        with plain_errors():
            if options["act"] == "reset" and not breaker_reset(
                name=options["name"],
                chain_key=options["chain"],
                by=console_user(),
                reason=options["reason"],
            ):
                raise CommandError(
                    f"No breaker {options['name']!r} is tripped"
                    + (f" on {options['chain']}" if options["chain"] else "")
                    + ". 'manage.py breakers status' tells which are."
                )
            tripped = breakers_in_force()
        text = "\n".join(_line(item) for item in tripped) or "All breakers are armed."
        answer(
            self,
            as_json=options["json"],
            fields={"tripped": [_fields(item) for item in tripped]},
            text=text,
        )


def _line(item: BreakerView) -> str:
    where = f" on {item.chain_key}" if item.chain_key else ""
    return f"{item.name}{where}: {item.effect.word}, {item.left_s} s left. {item.explanation} ({item.detail})"


def _fields(item: BreakerView) -> dict[str, Any]:
    return {
        **asdict(item),
        "effect": item.effect.word,
        "tripped_at": item.tripped_at.isoformat(),
    }
