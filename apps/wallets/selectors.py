"""Wallets as frozen views."""

from __future__ import annotations

from apps.domain.errors import ConfigurationError
from apps.wallets.logic.permission import WalletView
from apps.wallets.models import AddressLabel, Wallet


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
        chain_key=row.chain_key,
        may_enter=row.may_enter,
        is_locked=row.is_locked,
        unlocked_until_ms=None if row.unlocked_until is None else int(row.unlocked_until.timestamp() * 1000),
        daily_spend_max_usd_micros=row.daily_spend_max_usd_micros,
        signer=row.signer,
    )


def address_labels() -> dict[str, str]:
    """Return the address book: label by address in lower case."""
    return dict(AddressLabel.objects.order_by("id").values_list("address", "label"))
