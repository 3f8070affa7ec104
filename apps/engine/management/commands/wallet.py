"""Make, list, check, lock, limit and rotate wallets; show and revoke approvals. No verb moves money out."""

from __future__ import annotations

import time
from dataclasses import asdict
from decimal import Decimal
from typing import Any

from django.conf import settings
from django.core.management.base import BaseCommand, CommandError, CommandParser

from apps.domain.engine import MODES
from apps.domain.errors import SniperError
from apps.domain.events import EventKind
from apps.domain.money import USD_MICROS, usd_to_micros
from apps.engine import housekeeping, wiring
from apps.state.console import answer, console_user, plain_errors
from apps.state.services.events import event_record
from apps.trading.services.allowances import allowances_compare
from apps.trading.services.revocations import (
    approval_of,
    revocation_execute,
    revocation_request,
    told_of,
)
from apps.trading.services.settlement import order_settle
from apps.wallets.logic.permission import WalletView
from apps.wallets.selectors import address_labels, wallet_view, wallet_views
from apps.wallets.services.wallets import (
    address_label,
    wallet_add_remote,
    wallet_create,
    wallet_limit,
    wallet_lock,
    wallet_rotate,
    wallet_unlock,
)
from apps.wallets.signing import KeystoreSigner

#: What is on its way then is settled by the listener.
_REVOKE_WAIT_S, _LOOK_EVERY_S = 120.0, 0.5


class Command(BaseCommand):
    """``manage.py wallet create|list|check|lock|unlock|limit|rotate|approvals|revoke|…``."""

    help = "Makes, lists, checks, locks, limits and rotates wallets; shows and revokes approvals. It never sends money."

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
        lock = acts.add_parser("lock", help="sign nothing with a wallet any more, not even exits")
        unlock = acts.add_parser(
            "unlock", help="let a wallet sign again, once the password has opened its key"
        )
        unlock.add_argument("--hours", type=int, help="after so many hours the wallet only exits")
        limit = acts.add_parser("limit", help="set a wallet's daily spend and its chain")
        limit.add_argument(
            "--daily-usd", type=Decimal, help="most that entries of a UTC day may cost; none without it"
        )
        limit.add_argument("--chain", help="trade on this chain alone; '' for every chain")
        rotate = acts.add_parser(
            "rotate", help="give a wallet's entries to another one; it only exits from then on"
        )
        rotate.add_argument("name")
        rotate.add_argument("successor", help="made when there is none of this name")
        remote = acts.add_parser("add-remote", help="add a wallet whose key a remote signer holds")
        remote.add_argument("name")
        remote.add_argument("address")
        label = acts.add_parser("label", help="name an address in the address book")
        label.add_argument("address")
        label.add_argument("label")
        labels = acts.add_parser("labels", help="show the address book")
        approvals = acts.add_parser(
            "approvals", help="show what others may take of our tokens, as the chain says"
        )
        approvals.add_argument("--chain", default="", help="one chain's key; without it all")
        revoke = acts.add_parser("revoke", help="take an approval back; costs gas")
        revoke.add_argument("token")
        revoke.add_argument("spender")
        revoke.add_argument("--chain", required=True, help="the chain's key")
        revoke.add_argument("--wallet", default="", help="the wallet; without it the trading one")
        for act in (lock, unlock, limit):
            act.add_argument("name")
        for act in (
            *(create, export, listing, check, lock, unlock, limit, rotate, remote, label, labels),
            *(approvals, revoke),
        ):
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
                case "check":
                    self._check(as_json=as_json)
                case "approvals" | "revoke":
                    self._approvals(options)
                case "label" | "labels":
                    self._labels(options)
                case _:
                    self._change(options)

    def _change(self, options: dict[str, Any]) -> None:
        name, by = options["name"], console_user()
        match options["act"]:
            case "lock":
                wallet_lock(key=name, by=by)
                text = f"Wallet {name} is locked: nothing is signed with it, not even exits."
            case "unlock":
                KeystoreSigner.from_settings(settings.ENV).unlock(name)
                wallet_unlock(key=name, hours=options["hours"], by=by)
                text = f"Wallet {name} signs again" + (
                    f" for {options['hours']} hours; then it only exits." if options["hours"] else "."
                )
            case "limit":
                cap = None if options["daily_usd"] is None else usd_to_micros(options["daily_usd"])
                wallet_limit(key=name, daily_spend_max_usd_micros=cap, chain_key=options["chain"], by=by)
                text = f"Wallet {name} may spend {'without a cap of its own' if cap is None else options['daily_usd']}."
            case "rotate":
                name = wallet_rotate(key=name, successor=options["successor"], by=by).key
                text = f"{name} takes the entries of {options['name']}, which only exits from now on."
            case _:
                added = wallet_add_remote(key=name, address=options["address"], by=by)
                text = f"Wallet {name} was added: {added.address} signs remotely."
        answer(self, as_json=options["json"], fields=_fields(wallet_view(name)), text=text)

    def _labels(self, options: dict[str, Any]) -> None:
        if options["act"] == "label":
            address_label(address=options["address"], label=options["label"], by=console_user())
        found = address_labels()
        text = "\n".join(f"{address}  {label}" for address, label in found.items())
        answer(
            self, as_json=options["json"], fields={"labels": found}, text=text or "The address book is empty."
        )

    def _revoke(self, options: dict[str, Any]) -> None:
        ports = wiring.chain_ports(options["chain"]).execution
        approval_id = approval_of(
            chain_key=options["chain"],
            wallet_key=options["wallet"] or wiring.trading_wallet_key(ports.profile),
            token_address=options["token"],
            spender=options["spender"],
        )
        row = revocation_request(approval_id=approval_id, by=console_user())
        attempt = revocation_execute(revocation_id=row.pk, ports=ports)
        deadline = time.monotonic() + _REVOKE_WAIT_S
        while attempt is not None and attempt.status in ("signed", "sent") and time.monotonic() < deadline:
            order_settle(order_id=row.order_id, ports=ports)  # as the listener does, which may not be there
            attempt.refresh_from_db()
            time.sleep(_LOOK_EVERY_S)
        row.refresh_from_db()
        told = told_of(row)
        fields = {"tx_hash": "" if attempt is None else attempt.tx_hash, "state": told}
        answer(self, as_json=options["json"], fields=fields, text=f"The approval: {told}.")

    def _approvals(self, options: dict[str, Any]) -> None:
        if options["act"] == "revoke":
            self._revoke(options)
            return
        keys = [options["chain"]] if options["chain"] else housekeeping.followed_chain_keys()
        found = [
            item
            for chain_key in keys
            for wallet_key in housekeeping.wallets_of(chain_key)
            for item in allowances_compare(
                chain_key=chain_key, wallet_key=wallet_key, ports=wiring.chain_ports(chain_key).execution
            )
            if item.amount_raw
        ]
        answer(
            self,
            as_json=options["json"],
            fields={"approvals": [asdict(item) | {"amount_raw": str(item.amount_raw)} for item in found]},
            text="\n".join(
                f"{item.chain_key} {item.wallet_key}: {item.spender} may take {item.amount_raw} of {item.token_address}"
                for item in found
            )
            or "Nobody may take anything.",
        )

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
    marks += [name for name, on in (("locked", wallet.is_locked), ("exits only", not wallet.may_enter)) if on]
    if wallet.chain_key:
        marks.append(f"on {wallet.chain_key}")
    if wallet.daily_spend_max_usd_micros is not None:
        marks.append(f"≤ {wallet.daily_spend_max_usd_micros / USD_MICROS:.2f} USD a day")
    if wallet.signer == "remote":
        marks.append("remote")
    return f"{wallet.key:<20} {wallet.address}  {' '.join(marks)}".rstrip()


def _created(wallet: WalletView) -> str:
    text = f"Wallet {wallet.key} was created: {wallet.address}"
    if wallet.is_sandbox:
        return text
    return (
        f"{text}\nBack up keystore/{wallet.keystore_file} and its password before you send money to it: nobody else has "
        "them.\nTo trade live with it, mark it live in the admin under Wallets."
    )
