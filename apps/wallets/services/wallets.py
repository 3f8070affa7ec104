"""Making wallets."""

from __future__ import annotations

import re
from datetime import timedelta
from pathlib import Path
from typing import Any

from django.conf import settings
from django.db import IntegrityError, transaction
from django.utils import timezone

from apps.domain.engine import Mode
from apps.domain.errors import ConfigurationError
from apps.domain.events import EventKind
from apps.state.services.events import event_record
from apps.wallets.logic.permission import WalletView, wallets_for_entry
from apps.wallets.models import AddressLabel, Wallet
from apps.wallets.remote import remote_key_checked
from apps.wallets.selectors import view_of, wallet_view, wallet_views
from apps.wallets.signing import wallet_key_make

_NAME = re.compile(r"[a-z][a-z0-9_-]{0,39}")
_ADDRESS = re.compile(r"0x[0-9a-fA-F]{40}")
SANDBOX_WALLET = "trader"


def wallet_create(*, key: str, mode: Mode, by: str = "setup") -> WalletView:
    """Make a wallet with a new key for ``mode``. Raises ConfigurationError or KeystoreError.

    A live wallet is not marked live yet: that is the third switch, and a person turns it.
    """
    if not _NAME.fullmatch(key):
        raise _bad_name(key)
    if mode != settings.ENV.mode:
        raise ConfigurationError(
            f"A wallet for {mode} cannot be made while the mode is {settings.ENV.mode}.",
            remedy=f"Set DEXSNIPER_MODE={mode}: each mode has its own database and keystore.",
        )
    if Wallet.objects.filter(key=key).exists():
        raise _taken(key)
    is_sandbox = mode == "sandbox"
    made = wallet_key_make(
        data_dir=Path(settings.DATA_DIR),
        wallet_key=key,
        password=settings.ENV.keystore_password,
        is_sandbox=is_sandbox,
    )
    try:
        with transaction.atomic():
            row = Wallet.objects.create(
                key=key,
                family="evm",
                address=made.address,
                keystore_file=made.name,
                is_sandbox=is_sandbox,
                created_at=timezone.now(),
            )
            event_record(
                kind=EventKind.KEY_USED,
                summary=f"Wallet {key} was created: {made.address}",
                actor=by,
                subject=f"wallet:{key}",
                payload={"address": made.address, "mode": mode},
            )
    except IntegrityError as error:
        raise _taken(key) from error
    return view_of(row)


def sandbox_wallet_prepare(*, key: str = SANDBOX_WALLET) -> WalletView:
    """Return the sandbox's own wallet, made at the first start."""
    try:
        return wallet_view(key)
    except ConfigurationError:
        return wallet_create(key=key, mode="sandbox")


def wallet_default(*, family: str, chain_key: str = "") -> WalletView:
    """Return the wallet that trades in this mode: the oldest that may enter. Raises ConfigurationError."""
    return wallets_entering(family=family, chain_key=chain_key)[0]


def wallets_entering(*, family: str, chain_key: str = "") -> tuple[WalletView, ...]:
    """Return every wallet that may enter on a chain, at least one. Raises ConfigurationError when there is none."""
    mode = settings.ENV.mode
    now_ms = int(timezone.now().timestamp() * 1000)
    found = wallets_for_entry(wallet_views(), family=family, chain_key=chain_key, mode=mode, now_ms=now_ms)
    if not found:
        known = [item.key for item in wallet_views() if item.family == family]
        raise ConfigurationError(
            f"There is no {family} wallet for the mode {mode} that may enter{f' on {chain_key}' if chain_key else ''}.",
            remedy=f"Create one: `manage.py wallet create trader --mode {mode}`."
            if not known
            else "See `manage.py wallet list`: enable one, unlock it, or mark it live in the admin under Wallets.",
        )
    return found


def wallet_for_entry(*, family: str, chain_key: str, number: int, takes_turns: bool) -> WalletView:
    """Return the wallet of the ``number``-th opportunity: the first, or the next in turn. Repeatable: no state is kept.

    Raises ConfigurationError.
    """
    found = wallets_entering(family=family, chain_key=chain_key)
    return found[number % len(found)] if takes_turns else found[0]


def wallet_rotate(*, key: str, successor: str, by: str) -> WalletView:
    """Let ``successor`` take the entries of ``key``, which only exits from then on. Makes it when there is none.

    In live a person has to mark the new wallet live first: until then nothing changes, and ConfigurationError says so.
    """
    old = wallet_view(key)
    try:
        new = wallet_view(successor)
    except ConfigurationError:
        new = wallet_create(key=successor, mode=settings.ENV.mode, by=by)
        Wallet.objects.filter(key=successor).update(
            chain_key=old.chain_key, daily_spend_max_usd_micros=old.daily_spend_max_usd_micros
        )
    if key == successor or new.family != old.family or not new.enabled or not new.may_enter:
        raise ConfigurationError(
            f"{successor} cannot take over from {key}.",
            remedy="Name another wallet, enabled and of the same family.",
        )
    if settings.ENV.mode == "live" and not new.is_live:
        raise ConfigurationError(
            f"Wallet {successor} ({new.address}) was made but is not marked live: {key} goes on entering.",
            remedy="Back up its key, send money to it, mark it live in the admin under Wallets, and rotate again.",
        )
    _change(key=key, by=by, summary=f"was rotated out: {successor} takes its entries", may_enter=False)
    return wallet_view(successor)


def wallet_lock(*, key: str, by: str) -> None:
    """Sign nothing with this wallet any more, not even exits. Every signer heeds it at its next signature."""
    _change(key=key, by=by, summary="was locked", is_locked=True)


def wallet_unlock(*, key: str, hours: int | None, by: str) -> None:
    """Let the wallet sign again; after ``hours`` only exits. The caller has made sure that the password opens it."""
    until = None if hours is None else timezone.now() + timedelta(hours=hours)
    _change(
        key=key,
        by=by,
        summary="was unlocked" if hours is None else f"was unlocked for {hours} hours",
        is_locked=False,
        unlocked_until=until,
    )


def wallet_limit(*, key: str, daily_spend_max_usd_micros: int | None, chain_key: str | None, by: str) -> None:
    """Set what a wallet's entries of one day may cost, and the one chain it trades on; None leaves the chain as it is."""
    changes: dict[str, Any] = {"daily_spend_max_usd_micros": daily_spend_max_usd_micros}
    if chain_key is not None:
        changes["chain_key"] = chain_key
    _change(key=key, by=by, summary="has new limits", **changes)


def wallet_add_remote(*, key: str, address: str, by: str) -> WalletView:
    """Make a wallet whose key a remote signer holds. Raises ConfigurationError, or KeystoreError when it has no such key."""
    if not _NAME.fullmatch(key):
        raise _bad_name(key)
    checked = remote_key_checked(url=settings.ENV.remote_signer_url, address=address)
    try:
        with transaction.atomic():
            row = Wallet.objects.create(
                key=key,
                family="evm",
                address=checked,
                keystore_file="",
                signer="remote",
                is_sandbox=settings.ENV.mode == "sandbox",
                created_at=timezone.now(),
            )
            event_record(
                kind=EventKind.KEY_USED,
                summary=f"Wallet {key} of a remote signer was added: {checked}",
                actor=by,
                subject=f"wallet:{key}",
                payload={"address": checked},
            )
    except IntegrityError as error:
        raise _taken(key) from error
    return view_of(row)


def address_label(*, address: str, label: str, by: str, note: str = "", family: str = "evm") -> None:
    """Name an address, or name it anew. Raises ConfigurationError for what is no address."""
    if family == "evm" and not _ADDRESS.fullmatch(address):
        raise ConfigurationError(f"{address!r} is no address.", remedy="Give 0x and forty hex digits.")
    known = address.lower() if family == "evm" else address
    with transaction.atomic():
        AddressLabel.objects.update_or_create(
            family=family,
            address=known,
            defaults={"label": label[:60], "note": note[:200]},
            create_defaults={"label": label[:60], "note": note[:200], "created_at": timezone.now()},
        )
        event_record(
            kind=EventKind.KEY_USED,
            summary=f"Address {known} was named {label[:60]}",
            actor=by,
            subject=f"address:{known}"[:100],
        )


def _change(*, key: str, by: str, summary: str, **changes: Any) -> None:
    with transaction.atomic():
        if not Wallet.objects.filter(key=key).update(**changes):
            wallet_view(key)  # says that there is none
        event_record(
            kind=EventKind.KEY_USED,
            summary=f"Wallet {key} {summary}",
            actor=by,
            subject=f"wallet:{key}",
            payload={name: str(value) for name, value in changes.items()},
        )


def _bad_name(key: str) -> ConfigurationError:
    return ConfigurationError(
        f"{key!r} is no name for a wallet.",
        remedy="Use small letters, digits, - and _, up to 40, a letter first.",
    )


def _taken(key: str) -> ConfigurationError:
    return ConfigurationError(
        f"There is a wallet named {key} already.",
        remedy="Choose another name; `manage.py wallet list` shows all.",
    )
