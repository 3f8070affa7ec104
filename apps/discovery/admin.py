"""Pairs, tokens and quarantine to look at; only quarantine can be acted upon."""

from __future__ import annotations

from typing import Any

from django.contrib import admin, messages
from django.db.models import Model, QuerySet
from django.http import HttpRequest
from unfold.admin import ModelAdmin

from apps.discovery.models import Pair, QuarantineItem, Token
from apps.discovery.services.quarantine import quarantine_discard, quarantine_release


class _ReadOnlyAdmin(ModelAdmin):
    """Shows rows that only the system writes."""

    list_per_page = 50
    show_full_result_count = False

    def has_add_permission(self, request: HttpRequest) -> bool:
        """Nobody adds by hand."""
        return False

    def has_change_permission(self, request: HttpRequest, obj: Model | None = None) -> bool:
        """Nobody changes by hand."""
        return False

    def has_delete_permission(self, request: HttpRequest, obj: Model | None = None) -> bool:
        """Nobody deletes by hand."""
        return False


@admin.register(Token)
class TokenAdmin(_ReadOnlyAdmin):
    """Tokens as they describe themselves."""

    list_display = ("symbol", "name", "chain_key", "address", "decimals", "creator", "first_seen_at")
    list_filter = ("chain_key",)
    search_fields = ("address", "symbol", "name", "creator")


@admin.register(Pair)
class PairAdmin(_ReadOnlyAdmin):
    """Pairs, also those that were set aside or taken away."""

    list_display = (
        "pair_key",
        "base",
        "quote",
        "dex_key",
        "source",
        "registered_at",
        "quarantine_code",
        "removed_at",
    )
    list_filter = ("chain_key", "dex_key", "source", "quarantine_code")
    list_select_related = ("base", "quote")
    search_fields = ("pair_key", "base__address", "base__symbol", "creator")
    exclude = ("registration",)


@admin.register(QuarantineItem)
class QuarantineItemAdmin(_ReadOnlyAdmin):
    """Samples that were set aside. Releasing lets the pair be traded and the feed's claim be checked anew."""

    list_display = ("source", "reason", "pair_key", "status", "at")
    list_filter = ("status", "source")
    search_fields = ("reason", "sample", "pair_key")
    actions = ("release", "discard")

    def has_decide_permission(self, request: HttpRequest) -> bool:
        """Tell whether this user may release and discard."""
        user: Any = request.user
        return bool(user.has_perm("discovery.change_quarantineitem"))

    @admin.action(description="Release: check and trade again", permissions=["decide"])
    def release(self, request: HttpRequest, queryset: QuerySet[QuarantineItem]) -> None:
        """Release the chosen open items."""
        count = quarantine_release(item_ids=_ids_of(queryset), by=request.user.get_username())
        messages.success(request, f"{count} released.")

    @admin.action(description="Discard: seen, leave aside", permissions=["decide"])
    def discard(self, request: HttpRequest, queryset: QuerySet[QuarantineItem]) -> None:
        """Discard the chosen open items."""
        count = quarantine_discard(item_ids=_ids_of(queryset), by=request.user.get_username())
        messages.success(request, f"{count} discarded.")


def _ids_of(queryset: QuerySet[QuarantineItem]) -> list[int]:
    return list(queryset.values_list("pk", flat=True))
