"""Wallets in the admin: switched on and off, marked live; made and read by `manage.py wallet`."""

from __future__ import annotations

from typing import Any

from django.contrib import admin
from django.db import transaction
from django.db.models import Model
from django.http import HttpRequest
from unfold.admin import ModelAdmin

from apps.domain.events import EventKind
from apps.state.services.events import event_record
from apps.wallets.models import AddressLabel, NonceLease, Wallet

_SWITCHES = ("enabled", "is_live")


@admin.register(Wallet)
class WalletAdmin(ModelAdmin):
    """The two switches of a wallet; a sandbox wallet is never live."""

    list_display = ["key", "address", "family", "enabled", "is_live", "is_sandbox", "created_at"]
    fields = [
        *("key", "address", "family", "is_sandbox", "signer", "keystore_file", "created_at"),
        *("chain_key", "may_enter", "is_locked", "unlocked_until", "daily_spend_max_usd_micros"),
        *_SWITCHES,
    ]

    def has_add_permission(self, request: HttpRequest) -> bool:
        """Refuse: the key is made by the command."""
        return False

    def has_delete_permission(self, request: HttpRequest, obj: Model | None = None) -> bool:
        """Refuse: the books refer to it."""
        return False

    def get_readonly_fields(self, request: HttpRequest, obj: Any = None) -> list[str]:
        """Return everything but the switches."""
        fixed = [name for name in self.fields or () if name not in _SWITCHES]
        return [*fixed, "is_live"] if obj is not None and obj.is_sandbox else fixed

    def save_model(self, request: HttpRequest, obj: Any, form: Any, change: Any) -> None:
        """Save and record what was switched."""
        with transaction.atomic():
            super().save_model(request, obj, form, change)
            switched = {name: getattr(obj, name) for name in form.changed_data}
            event_record(
                kind=EventKind.KEY_USED,
                summary=f"Wallet {obj.key}: "
                + ", ".join(f"{name} = {value}" for name, value in switched.items()),
                actor=request.user.get_username(),
                subject=f"wallet:{obj.key}",
                payload=switched,
            )


@admin.register(AddressLabel)
class AddressLabelAdmin(ModelAdmin):
    """The address book: names to know addresses again. Nothing is ever sent there."""

    list_display = ["label", "address", "family", "note", "created_at"]
    search_fields = ["label", "address"]

    def has_add_permission(self, request: HttpRequest) -> bool:
        """Refuse: `manage.py wallet label` checks the address."""
        return False

    def get_readonly_fields(self, request: HttpRequest, obj: Any = None) -> list[str]:
        """Return what makes it an address; label and note may change."""
        return ["family", "address", "created_at"]


@admin.register(NonceLease)
class NonceLeaseAdmin(ModelAdmin):
    """Nonces, to look at."""

    list_display = ["wallet", "chain_key", "next_nonce", "synced_at"]

    def has_add_permission(self, request: HttpRequest) -> bool:
        """Refuse."""
        return False

    def has_change_permission(self, request: HttpRequest, obj: Model | None = None) -> bool:
        """Refuse."""
        return False

    def has_delete_permission(self, request: HttpRequest, obj: Model | None = None) -> bool:
        """Refuse."""
        return False
