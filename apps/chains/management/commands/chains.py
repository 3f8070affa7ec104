"""Fill in the known chains, list what is configured, verify lockers."""

from __future__ import annotations

from dataclasses import asdict
from typing import Any

from django.conf import settings
from django.core.management.base import BaseCommand, CommandError, CommandParser

from apps.chains.models import Chain
from apps.chains.selectors import readable_chains
from apps.chains.services.defaults import chains_load
from apps.chains.services.lockers import LockerCheck, lockers_verify
from apps.state.console import answer, console_user, plain_errors
from apps.state.tracing import bind_actor


class Command(BaseCommand):
    """``manage.py chains load|list|verify``."""

    help = "Fills in the known chains (load), shows what is configured (list), or looks at lockers' code (verify)."

    def add_arguments(self, parser: CommandParser) -> None:
        """Declare the acts."""
        acts = parser.add_subparsers(dest="act", required=True)
        for act in (
            acts.add_parser("load", help="add what is missing; what is there stays as it is"),
            acts.add_parser("list", help="show chains, endpoints and exchanges"),
            verify := acts.add_parser(
                "verify", help="read the lockers' code: only then what they hold is locked"
            ),
        ):
            act.add_argument("--json", action="store_true", help="print one JSON object")
        verify.add_argument("chain", nargs="?", default="", help="only this chain, e.g. eip155:8453")
        verify.add_argument(
            "--accept", action="store_true", help="hold lockers whose code has changed to their new code"
        )

    def handle(self, *args: Any, **options: Any) -> None:
        """Do one act."""
        as_json = options["json"]
        if options["act"] == "list":
            chains = [_fields(chain) for chain in Chain.objects.order_by("id")]
            text = "\n".join(map(_line, chains)) or "No chain is configured: 'manage.py chains load'."
            answer(self, as_json=as_json, fields={"chains": chains}, text=text)
            return
        if options["act"] == "verify":
            self._verify(options)
            return
        if settings.ENV.is_sandbox:
            raise CommandError(
                "The sandbox makes its own chains, and real ones have no place beside them.\n"
                "  remedy: set DEXSNIPER_MODE=paper or live; each mode has a database of its own."
            )
        report = chains_load()
        text = f"Added {', '.join(report.added)}." if report.added else "Nothing was missing."
        text += (
            "\nNext: add an endpoint to each chain you want to follow, in the admin under Endpoints; then run"
        )
        text += "\n'manage.py chains verify', so that liquidity in known lockers counts as locked."
        answer(self, as_json=as_json, fields=asdict(report), text=text)

    def _verify(self, options: dict[str, Any]) -> None:
        keys = (
            [options["chain"]] if options["chain"] else list(readable_chains().values_list("key", flat=True))
        )
        with plain_errors(), bind_actor(console_user):
            checks = [
                check
                for key in keys
                for check in lockers_verify(chain_key=key, accepts_change=options["accept"])
            ]
        text = "\n".join(map(_locker_line, checks)) or "There is no locker to look at."
        answer(
            self, as_json=options["json"], fields={"lockers": [asdict(item) for item in checks]}, text=text
        )


def _locker_line(check: LockerCheck) -> str:
    mark = "ok" if check.is_confirmed else "NOT"
    remedy = f" {check.remedy}" if check.remedy else ""
    return f"{mark:<4} {check.chain_key:<14} {check.name:<22} {check.address} {check.code_hash or '-'}  {check.detail}.{remedy}"


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
