"""Chains, endpoints and DEX deployments in the admin. Addresses of endpoints hold keys, so lists show hosts only."""

from __future__ import annotations

import re
from typing import Any
from urllib.parse import urlsplit

from django import forms
from django.contrib import admin, messages
from django.db import models, transaction
from django.db.models import QuerySet
from django.http import HttpRequest
from eth_utils.address import is_checksum_formatted_address, to_checksum_address
from unfold.admin import ModelAdmin, TabularInline

from apps.chains.evm.sender import SEND_MAX_S
from apps.chains.models import Chain, DexDeployment, Endpoint, Locker, Relay, StableToken
from apps.chains.registry import DEX_KINDS
from apps.chains.services.endpoints import endpoint_check
from apps.chains.services.relays import relay_check
from apps.domain.errors import SniperError

#: Below this no relay on another machine answers.
RELAY_TIMEOUT_MIN_MS = 20
_EVM_ADDRESS = re.compile(r"0x[0-9a-fA-F]{40}")
_HASH = re.compile(r"0x[0-9a-f]{64}")


def _clean_address(value: str, *, chain: Chain | None) -> str:
    """Return an EVM address in EIP-55. Raises ValidationError for another shape or a checksum that does not fit."""
    is_evm = value.startswith("0x") if chain is None else chain.family == "evm"
    if not is_evm or value == "":
        return value
    if not _EVM_ADDRESS.fullmatch(value):
        raise forms.ValidationError("An address is 0x and 40 hexadecimal digits.")
    address = str(to_checksum_address(value))
    if is_checksum_formatted_address(value) and value != address:
        raise forms.ValidationError("The capital letters do not fit this address: a digit may be mistyped.")
    return address


def _clean_url(value: str, *schemes: str) -> str:
    try:
        parts = urlsplit(value)
        is_good = parts.scheme in schemes and bool(parts.hostname) and (parts.port or 1) > 0
    except ValueError:
        is_good = False
    if not is_good or not value.isascii() or any(letter.isspace() for letter in value):
        raise forms.ValidationError(f"Give an address like {schemes[-1]}://host:port/path.")
    return value


class ChainForm(forms.ModelForm):
    """Checks what a chain's row must agree on with itself."""

    def clean(self) -> dict[str, Any]:
        """Check key against chain id, and that a sandbox chain is pinned."""
        cleaned = super().clean() or {}
        if cleaned.get("family") == "evm":
            if cleaned.get("key") != f"eip155:{cleaned.get('chain_id')}":
                self.add_error("key", "The key of an EVM chain is eip155: and its chain id.")
            self._clean_wrapped(cleaned)
        genesis = (cleaned.get("genesis_hash") or "").lower()
        if genesis and not _HASH.fullmatch(genesis):
            self.add_error("genesis_hash", "A hash is 0x and 64 hexadecimal digits.")
        if cleaned.get("is_sandbox") and not genesis:
            self.add_error("genesis_hash", "A sandbox chain is pinned to the hash of its first block.")
        cleaned["genesis_hash"] = genesis
        return cleaned

    def _clean_wrapped(self, cleaned: dict[str, Any]) -> None:
        try:
            cleaned["wrapped_native_address"] = _clean_address(
                cleaned.get("wrapped_native_address") or "", chain=Chain(family="evm")
            )
        except forms.ValidationError as error:
            self.add_error("wrapped_native_address", error)


class EndpointForm(forms.ModelForm):
    """Checks an endpoint's addresses."""

    class Meta:
        model = Endpoint
        fields = ("chain", "url_http", "url_ws", "weight", "requests_per_s_max", "enabled")

    def clean_url_http(self) -> str:
        """Check the address for requests."""
        return _clean_url(self.cleaned_data["url_http"], "http", "https")

    def clean_url_ws(self) -> str:
        """Check the address for subscriptions, which may be empty."""
        value: str = self.cleaned_data["url_ws"]
        return _clean_url(value, "ws", "wss") if value else ""


class RelayForm(forms.ModelForm):
    """Checks a relay's address and its name."""

    class Meta:
        model = Relay
        fields = ("chain", "key", "kind", "url", "weight", "timeout_ms", "enabled")

    def clean_url(self) -> str:
        """Check the address for requests."""
        return _clean_url(self.cleaned_data["url"], "http", "https")

    def clean_key(self) -> str:
        """Keep the one name that stands for no relay."""
        value: str = self.cleaned_data["key"]
        if value == "public":
            raise forms.ValidationError("This name stands for the public pool: choose another.")
        return value

    def clean_timeout_ms(self) -> int:
        """Hold it to what a kill may wait for."""
        value: int = self.cleaned_data["timeout_ms"]
        if not RELAY_TIMEOUT_MIN_MS <= value <= SEND_MAX_S * 1_000:
            raise forms.ValidationError(f"Give {RELAY_TIMEOUT_MIN_MS} to {int(SEND_MAX_S * 1_000)} ms.")
        return value


class AddressForm(forms.ModelForm):
    """Checks every address of a row that belongs to a chain, and the protocol kind of a DEX."""

    def clean(self) -> dict[str, Any]:
        """Bring addresses into EIP-55."""
        cleaned = super().clean() or {}
        for name in ("address", "factory_address", "router_address"):
            if name not in cleaned:
                continue
            try:
                cleaned[name] = _clean_address(cleaned[name], chain=cleaned.get("chain"))
            except forms.ValidationError as error:
                self.add_error(name, error)
        if "kind" in cleaned and cleaned["kind"] not in DEX_KINDS:
            self.add_error("kind", f"Known kinds are: {', '.join(sorted(DEX_KINDS))}.")
        return cleaned


class StableTokenInline(TabularInline):
    """Stablecoins on the chain's own page."""

    model = StableToken
    form = AddressForm
    extra = 0


@admin.register(Chain)
class ChainAdmin(ModelAdmin):
    """Chains with their stablecoins."""

    form = ChainForm
    formfield_overrides = {models.URLField: {"assume_scheme": "https"}}
    inlines = (StableTokenInline,)
    list_display = ("name", "key", "family", "is_sandbox", "enabled", "confirmation_depth", "block_time_ms")
    list_filter = ("enabled", "is_sandbox", "family")
    search_fields = ("name", "key")


@admin.register(Endpoint)
class EndpointAdmin(ModelAdmin):
    """Endpoints: checked when they are saved, and on demand."""

    form = EndpointForm
    list_display = ("host", "chain", "weight", "enabled", "can", "checked_at", "fault")
    list_filter = ("chain", "enabled")
    readonly_fields = ("capabilities", "checked_at", "fault")
    actions = ("check_now",)

    @admin.display(description="endpoint")
    def host(self, endpoint: Endpoint) -> str:
        """Return host and port without path and credentials."""
        return urlsplit(endpoint.url_http).netloc.rpartition("@")[2]

    @admin.display(description="can do")
    def can(self, endpoint: Endpoint) -> str:
        """Return the capabilities that were found."""
        return ", ".join(sorted(name for name, is_there in endpoint.capabilities.items() if is_there)) or "–"

    @admin.action(description="Check selected endpoints now")
    def check_now(self, request: HttpRequest, queryset: QuerySet[Endpoint]) -> None:
        """Ask the endpoints and show what each one said."""
        for endpoint in queryset:
            self._check(request, endpoint)

    def save_model(self, request: HttpRequest, obj: Endpoint, form: Any, change: bool) -> None:  # noqa: FBT001
        """Save, and ask the endpoint once the row stands."""
        super().save_model(request, obj, form, change)
        transaction.on_commit(lambda: self._check(request, obj))

    def _check(self, request: HttpRequest, endpoint: Endpoint) -> None:
        try:
            report = endpoint_check(endpoint_id=endpoint.pk)
        except SniperError as error:
            self.message_user(request, f"{error} {error.remedy}", messages.ERROR)
            return
        if not report.is_usable:
            self.message_user(request, f"{report.fault} {report.remedy}", messages.ERROR)
            return
        notes = " ".join(report.notes)
        level = messages.WARNING if notes else messages.SUCCESS
        self.message_user(request, f"{report.label} answers in {report.latency_ms} ms. {notes}", level)


@admin.register(Relay)
class RelayAdmin(ModelAdmin):
    """Private relays: asked when they are saved, and on demand. Addresses may hold keys, so lists show hosts only."""

    form = RelayForm
    list_display = ("key", "host", "chain", "kind", "weight", "enabled", "checked_at", "fault")
    list_filter = ("chain", "enabled", "kind")
    readonly_fields = ("checked_at", "fault")
    actions = ("check_now",)

    @admin.display(description="relay")
    def host(self, relay: Relay) -> str:
        """Return host and port without path and credentials."""
        return urlsplit(relay.url).netloc.rpartition("@")[2]

    @admin.action(description="Check selected relays now")
    def check_now(self, request: HttpRequest, queryset: QuerySet[Relay]) -> None:
        """Ask the relays and show what each one said."""
        for relay in queryset:
            self._check(request, relay)

    def save_model(self, request: HttpRequest, obj: Relay, form: Any, change: bool) -> None:  # noqa: FBT001
        """Save, and ask the relay once the row stands."""
        super().save_model(request, obj, form, change)
        transaction.on_commit(lambda: self._check(request, obj))

    def _check(self, request: HttpRequest, relay: Relay) -> None:
        try:
            report = relay_check(relay_id=relay.pk)
        except SniperError as error:
            self.message_user(request, f"{error} {error.remedy}", messages.ERROR)
            return
        if report.fault:
            self.message_user(request, f"{report.label} {report.fault} {report.remedy}", messages.ERROR)
            return
        self.message_user(request, f"{report.label} answers in {report.latency_ms} ms.", messages.SUCCESS)


@admin.register(DexDeployment)
class DexDeploymentAdmin(ModelAdmin):
    """DEX deployments."""

    form = AddressForm
    list_display = ("name", "chain", "kind", "fee_bps", "enabled", "confirmed")
    list_filter = ("chain", "kind", "enabled", "confirmed")
    search_fields = ("name", "factory_address", "router_address")


@admin.register(Locker)
class LockerAdmin(ModelAdmin):
    """Liquidity lockers."""

    form = AddressForm
    list_display = ("name", "chain", "address", "kind", "confirmed", "verified_at")
    list_filter = ("chain", "kind", "confirmed")
    readonly_fields = (
        "confirmed",
        "code_hash",
        "implementation_address",
        "implementation_hash",
        "verified_at",
    )
    search_fields = ("name", "address")
