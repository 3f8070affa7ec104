"""Wallets as frozen views."""

from __future__ import annotations

from apps.domain.errors import ConfigurationError
from apps.wallets.logic.permission import WalletView
from apps.wallets.models import Wallet


def wallet_view(wallet_key: str) -> WalletView:
    """Return a wallet, read directly. Raises ConfigurationError when there is none of this name."""
    row = Wallet.objects.filter(key=wallet_key).first()
    if row is None:
        raise ConfigurationError(
            f"There is no wallet named {wallet_key}.",
            remedy=f"Create it: `manage.py wallet create {wallet_key}`.",
        )
    return view_of(row)


def wallet_views() -> tuple[WalletView, ...]:
    """Return all wallets, oldest first."""
    return tuple(view_of(row) for row in Wallet.objects.order_by("id"))


def view_of(row: Wallet) -> WalletView:
    """Return the row as a view."""
    return WalletView(
        key=row.key,
        family=row.family,
        address=row.address,
        keystore_file=row.keystore_file,
        is_sandbox=row.is_sandbox,
        is_live=row.is_live,
        enabled=row.enabled,
    )
