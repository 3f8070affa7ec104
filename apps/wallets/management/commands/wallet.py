"""Make, list and check wallets."""

from __future__ import annotations

from dataclasses import asdict
from typing import Any

from django.conf import settings
from django.core.management.base import BaseCommand, CommandError, CommandParser

from apps.domain.engine import MODES
from apps.domain.errors import SniperError
from apps.domain.events import EventKind
from apps.state.console import answer, console_user, plain_errors
from apps.state.services.events import event_record
from apps.wallets.logic.permission import WalletView
from apps.wallets.selectors import wallet_view, wallet_views
from apps.wallets.services.wallets import wallet_create
from apps.wallets.signing import KeystoreSigner


class Command(BaseCommand):
    """``manage.py wallet create|list|export-address|check``."""

    help = "Makes wallets with encrypted keys, lists them, checks that the password opens them."

    def add_arguments(self, parser: CommandParser) -> None:
        """Declare the acts."""
        acts = parser.add_subparsers(dest="act", required=True)
        create = acts.add_parser("create", help="make a wallet with a new key")
        create.add_argument("name")
        create.add_argument(
            "--mode", choices=MODES, default=settings.ENV.mode, help="this installation's mode"
        )
        export = acts.add_parser("export-address", help="print a wallet's public address, to send money to")
        export.add_argument("name")
        listing = acts.add_parser("list", help="list all wallets")
        check = acts.add_parser("check", help="open each key with the configured password")
        for act in (create, export, listing, check):
            act.add_argument("--json", action="store_true", help="print one JSON object")

    def handle(self, *args: Any, **options: Any) -> None:
        """Do one act."""
        as_json = options["json"]
        with plain_errors():
            match options["act"]:
                case "create":
                    wallet = wallet_create(key=options["name"], mode=options["mode"], by=console_user())
                    answer(self, as_json=as_json, fields=_fields(wallet), text=_created(wallet))
                case "export-address":
                    wallet = wallet_view(options["name"])
                    event_record(
                        kind=EventKind.KEY_USED,
                        summary=f"Address of {wallet.key} was exported",
                        actor=console_user(),
                        subject=f"wallet:{wallet.key}",
                    )
                    answer(self, as_json=as_json, fields=_fields(wallet), text=wallet.address)
                case "list":
                    wallets = wallet_views()
                    text = (
                        "\n".join(map(_line, wallets))
                        or "There is no wallet: `manage.py wallet create NAME`."
                    )
                    answer(
                        self,
                        as_json=as_json,
                        fields={"wallets": [_fields(item) for item in wallets]},
                        text=text,
                    )
                case _:
                    self._check(as_json=as_json)

    def _check(self, *, as_json: bool) -> None:
        signer = KeystoreSigner.from_settings(settings.ENV)
        faults: dict[str, str] = {}
        remedies: dict[str, str] = {}
        wallets = wallet_views()
        for wallet in wallets:
            try:
                signer.unlock(wallet.key)
            except SniperError as error:
                faults[wallet.key], remedies[wallet.key] = str(error), error.remedy
        lines = [
            f"{item.key}: {faults[item.key]}\n  remedy: {remedies[item.key]}"
            if item.key in faults
            else f"{item.key}: ok"
            for item in wallets
        ]
        fields = {
            "ok": not faults,
            "wallets": [
                {"key": item.key, "fault": faults.get(item.key, ""), "remedy": remedies.get(item.key, "")}
                for item in wallets
            ],
        }
        answer(self, as_json=as_json, fields=fields, text="\n".join(lines) or "There is no wallet.")
        if faults:
            raise CommandError(f"{len(faults)} of {len(wallets)} wallets cannot sign.")


def _fields(wallet: WalletView) -> dict[str, Any]:
    return asdict(wallet)


def _line(wallet: WalletView) -> str:
    marks = [name for name, on in (("sandbox", wallet.is_sandbox), ("LIVE", wallet.is_live)) if on]
    if not wallet.enabled:
        marks.append("off")
    return f"{wallet.key:<20} {wallet.address}  {' '.join(marks)}".rstrip()


def _created(wallet: WalletView) -> str:
    text = f"Wallet {wallet.key} was created: {wallet.address}"
    if wallet.is_sandbox:
        return text
    return (
        f"{text}\nBack up keystore/{wallet.keystore_file} and its password before you send money to it: nobody else has "
        "them.\nTo trade live with it, mark it live in the admin under Wallets."
    )
