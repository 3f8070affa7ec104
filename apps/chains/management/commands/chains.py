"""Fill in the known chains, list what is configured."""

from __future__ import annotations

from dataclasses import asdict
from typing import Any

from django.conf import settings
from django.core.management.base import BaseCommand, CommandError, CommandParser

from apps.chains.models import Chain
from apps.chains.services.defaults import chains_load
from apps.state.console import answer


class Command(BaseCommand):
    """``manage.py chains load|list``."""

    help = "Fills in the known chains with their exchanges (load), or shows what is configured (list)."

    def add_arguments(self, parser: CommandParser) -> None:
        """Declare the acts."""
        acts = parser.add_subparsers(dest="act", required=True)
        for act in (
            acts.add_parser("load", help="add what is missing; what is there stays as it is"),
            acts.add_parser("list", help="show chains, endpoints and exchanges"),
        ):
            act.add_argument("--json", action="store_true", help="print one JSON object")

    def handle(self, *args: Any, **options: Any) -> None:
        """Do one act."""
        as_json = options["json"]
        if options["act"] == "list":
            chains = [_fields(chain) for chain in Chain.objects.order_by("id")]
            text = "\n".join(map(_line, chains)) or "No chain is configured: 'manage.py chains load'."
            answer(self, as_json=as_json, fields={"chains": chains}, text=text)
            return
        if settings.ENV.is_sandbox:
            raise CommandError(
                "The sandbox makes its own chains, and real ones have no place beside them.\n"
                "  remedy: set DEXSNIPER_MODE=paper or live; each mode has a database of its own."
            )
        report = chains_load()
        text = f"Added {', '.join(report.added)}." if report.added else "Nothing was missing."
        text += "\nNext: add an endpoint to each chain you want to follow, in the admin under Endpoints."
        answer(self, as_json=as_json, fields=asdict(report), text=text)


def _fields(chain: Chain) -> dict[str, Any]:
    return {
        "key": chain.key,
        "name": chain.name,
        "enabled": chain.enabled,
        "endpoints": chain.endpoints.filter(enabled=True).count(),
        "dexes": list(chain.dexes.filter(enabled=True).order_by("id").values_list("name", flat=True)),
    }


def _line(fields: dict[str, Any]) -> str:
    marks = "" if fields["enabled"] else "  off"
    dexes = ", ".join(fields["dexes"]) or "no exchange"
    return f"{fields['name']:<20} {fields['key']:<16} {fields['endpoints']} endpoints, {dexes}{marks}"
