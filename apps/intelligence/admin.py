"""Analyses, regimes and models to look at."""

from __future__ import annotations

from django.contrib import admin
from django.db.models import Model
from django.http import HttpRequest
from unfold.admin import ModelAdmin

from apps.intelligence.models import (
    AnalysisRecord,
    EntityRecord,
    FundingLinkRecord,
    MarketRegimeRecord,
    ModelHealth,
    SocialMessage,
    SocialSourceState,
)


class _ReadOnly(ModelAdmin):
    """Rows that only the system writes."""

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


@admin.register(AnalysisRecord)
class AnalysisRecordAdmin(_ReadOnly):
    """What was known about pairs."""

    list_display = ("id", "pair", "block_number", "facts_duration_ms", "trace_id", "created_at")
    list_select_related = ("pair",)
    search_fields = ("trace_id", "pair__pair_key")


@admin.register(MarketRegimeRecord)
class MarketRegimeRecordAdmin(_ReadOnly):
    """What was known about markets."""

    list_display = ("market", "as_of", "regime", "confidence_bps", "volatility_state", "is_change", "source")
    list_filter = ("market", "regime")
    search_fields = ("trace_id",)


@admin.register(ModelHealth)
class ModelHealthAdmin(_ReadOnly):
    """How true models were."""

    list_display = ("name", "is_trusted", "resolved", "brier", "skill", "has_drifted", "checked_at")


@admin.register(EntityRecord)
class EntityRecordAdmin(_ReadOnly):
    """Who acts together in pairs, and why that is thought."""

    list_display = ("key", "pair", "is_merged", "codes", "block_number", "created_at")
    list_select_related = ("pair",)
    list_filter = ("is_merged",)
    search_fields = ("key", "members__address", "trace_id")


@admin.register(FundingLinkRecord)
class FundingLinkRecordAdmin(_ReadOnly):
    """Who gave whom his first coins."""

    list_display = ("target", "source", "is_hub", "paid_in_tx", "block_number", "reason", "looked_at")
    list_filter = ("is_hub", "chain_key")
    search_fields = ("target", "source", "tx_hash")


@admin.register(SocialSourceState)
class SocialSourceStateAdmin(_ReadOnly):
    """How the sources of people's talk stand."""

    list_display = ("source", "state", "reason", "since", "next_try_at", "budget_used", "messages_total")


@admin.register(SocialMessage)
class SocialMessageAdmin(_ReadOnly):
    """What people said, as numbers; the text where it may be kept."""

    list_display = ("id", "source", "text", "score_bps", "bot_bps", "is_simulated", "sent_at")
    list_filter = ("source", "is_simulated")
    search_fields = ("author", "dedup_key")
