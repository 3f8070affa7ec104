"""Verdicts and the budget to look at."""

from __future__ import annotations

from django.contrib import admin
from django.db.models import Model
from django.http import HttpRequest
from unfold.admin import ModelAdmin

from apps.risk.models import Budget, Reservation, VerdictRecord


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


@admin.register(VerdictRecord)
class VerdictRecordAdmin(_ReadOnlyAdmin):
    """All rules' answers."""

    list_display = ("id", "pair", "outcome", "score_bps", "confidence_bps", "config_revision", "created_at")
    list_filter = ("outcome",)
    list_select_related = ("pair",)
    search_fields = ("trace_id", "pair__pair_key")


@admin.register(Budget)
class BudgetAdmin(_ReadOnlyAdmin):
    """What is at stake now."""

    list_display = ("scope", "exposure_usd_micros", "open_positions", "day", "realised_today_usd_micros")


@admin.register(Reservation)
class ReservationAdmin(_ReadOnlyAdmin):
    """Budget held and given back, order by order."""

    list_display = ("client_order_id", "usd_micros", "status", "created_at", "released_at")
    list_filter = ("status",)
    search_fields = ("client_order_id",)
