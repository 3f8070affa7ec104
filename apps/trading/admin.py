"""Trading's rows to look at: only the system writes them, and the books are never edited."""

from __future__ import annotations

from django.contrib import admin
from django.db.models import Model
from django.http import HttpRequest
from unfold.admin import ModelAdmin, TabularInline

from apps.trading.models import (
    AdvancedOrder,
    DecisionRecord,
    FillRecord,
    JournalEntry,
    Opportunity,
    Order,
    Position,
    Posting,
    TxAttempt,
)


class _Unwritten:
    """Refuses every writing by hand."""

    def has_add_permission(self, request: HttpRequest, obj: Model | None = None) -> bool:
        """Nobody adds by hand."""
        return False

    def has_change_permission(self, request: HttpRequest, obj: Model | None = None) -> bool:
        """Nobody changes by hand."""
        return False

    def has_delete_permission(self, request: HttpRequest, obj: Model | None = None) -> bool:
        """Nobody deletes by hand."""
        return False


class _ReadOnlyAdmin(_Unwritten, ModelAdmin):
    list_per_page = 50
    show_full_result_count = False


class _AttemptInline(_Unwritten, TabularInline):
    model = TxAttempt
    extra = 0
    exclude = ("payload",)  # signed bytes have no place on a page


class _PostingInline(_Unwritten, TabularInline):
    model = Posting
    extra = 0


@admin.register(Opportunity)
class OpportunityAdmin(_ReadOnlyAdmin):
    """Pairs' chances and how they ended."""

    list_display = (
        "id",
        "pair",
        "status",
        "score_bps",
        "skip_stage",
        "skip_code",
        "evaluations",
        "created_at",
    )
    list_filter = ("status", "skip_stage", "skip_code", "source")
    list_select_related = ("pair",)
    search_fields = ("trace_id", "pair__pair_key", "pair__base__symbol")


@admin.register(DecisionRecord)
class DecisionRecordAdmin(_ReadOnlyAdmin):
    """Decisions with all they were made from."""

    list_display = (
        "id",
        "trace_id",
        "number",
        "action",
        "skip_stage",
        "exit_tag",
        "config_revision",
        "created_at",
    )
    list_filter = ("action", "skip_stage", "exit_tag")
    search_fields = ("trace_id",)


@admin.register(Order)
class OrderAdmin(_ReadOnlyAdmin):
    """Orders with their transactions."""

    list_display = ("id", "side", "status", "pair", "wallet_key", "exit_tag", "reason", "created_at")
    list_filter = ("status", "side", "exit_tag", "chain_key")
    list_select_related = ("pair",)
    search_fields = ("trace_id", "client_order_id", "attempts__tx_hash")
    inlines = (_AttemptInline,)


@admin.register(AdvancedOrder)
class AdvancedOrderAdmin(_ReadOnlyAdmin):
    """Trades that wait for prices or times; they are placed and cancelled on the pages."""

    list_display = ("id", "kind", "side", "status", "pair", "epoch", "children", "created_by", "created_at")
    list_filter = ("status", "side", "kind", "chain_key")
    list_select_related = ("pair",)
    search_fields = ("pair__pair_key", "pair__base__symbol", "created_by")


@admin.register(Position)
class PositionAdmin(_ReadOnlyAdmin):
    """What is and was held."""

    list_display = (
        "id",
        "pair",
        "status",
        "wallet_key",
        "exit_tag",
        "exit_attempts",
        "opened_at",
        "closed_at",
    )
    list_filter = ("status", "exit_tag", "chain_key")
    list_select_related = ("pair",)
    search_fields = ("trace_id", "pair__pair_key", "pair__base__symbol")


@admin.register(FillRecord)
class FillRecordAdmin(_ReadOnlyAdmin):
    """What swaps really moved."""

    list_display = ("id", "side", "order", "block_number", "is_final", "reversed_at", "booked_at")
    list_filter = ("side", "is_final")
    search_fields = ("trace_id", "fill_key")


@admin.register(JournalEntry)
class JournalEntryAdmin(_ReadOnlyAdmin):
    """The journal with its postings."""

    list_display = ("id", "kind", "description", "trace_id", "at")
    list_filter = ("kind",)
    search_fields = ("entry_key", "trace_id", "description")
    inlines = (_PostingInline,)
