"""Analyses to look at."""

from __future__ import annotations

from django.contrib import admin
from django.db.models import Model
from django.http import HttpRequest
from unfold.admin import ModelAdmin

from apps.intelligence.models import AnalysisRecord


@admin.register(AnalysisRecord)
class AnalysisRecordAdmin(ModelAdmin):
    """What was known about pairs; only the system writes here."""

    list_display = ("id", "pair", "block_number", "facts_duration_ms", "trace_id", "created_at")
    list_select_related = ("pair",)
    search_fields = ("trace_id", "pair__pair_key")
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
