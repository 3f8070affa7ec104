"""Making wallets."""

from __future__ import annotations

import re
from pathlib import Path

from django.conf import settings
from django.db import IntegrityError, transaction
from django.utils import timezone

from apps.domain.engine import Mode
from apps.domain.errors import ConfigurationError
from apps.domain.events import EventKind
from apps.state.services.events import event_record
from apps.wallets.logic.permission import WalletView
from apps.wallets.models import Wallet
from apps.wallets.selectors import view_of, wallet_view
from apps.wallets.signing import wallet_key_make

_NAME = re.compile(r"[a-z][a-z0-9_-]{0,39}")
SANDBOX_WALLET = "trader"


def wallet_create(*, key: str, mode: Mode, by: str = "setup") -> WalletView:
    """Make a wallet with a new key for ``mode``. Raises ConfigurationError or KeystoreError.

    A live wallet is not marked live yet: that is the third switch, and a person turns it.
    """
    if not _NAME.fullmatch(key):
        raise ConfigurationError(
            f"{key!r} is no name for a wallet.",
            remedy="Use small letters, digits, - and _, up to 40, a letter first.",
        )
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


def wallet_default(*, family: str) -> WalletView:
    """Return the wallet that trades in this mode: the oldest enabled one of its kind. Raises ConfigurationError."""
    mode = settings.ENV.mode
    rows = Wallet.objects.filter(family=family, enabled=True, is_sandbox=mode == "sandbox")
    if mode == "live":
        rows = rows.filter(is_live=True)
    row = rows.order_by("id").first()
    if row is None:
        raise ConfigurationError(
            f"There is no {family} wallet for the mode {mode}.",
            remedy=f"Create one: `manage.py wallet create trader --mode {mode}`.",
        )
    return view_of(row)


def _taken(key: str) -> ConfigurationError:
    return ConfigurationError(
        f"There is a wallet named {key} already.",
        remedy="Choose another name; `manage.py wallet list` shows all.",
    )
