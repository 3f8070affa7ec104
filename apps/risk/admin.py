"""Verdicts and the budget to look at."""

from __future__ import annotations

from django.contrib import admin
from django.db.models import Model, QuerySet
from django.http import HttpRequest
from unfold.admin import ModelAdmin

from apps.risk.models import Breaker, Budget, GuardWatch, RefusedToken, Reservation, VerdictRecord
from apps.risk.services.breakers import breaker_reset


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

    list_display = (
        "scope",
        "exposure_usd_micros",
        "open_positions",
        "day",
        "realised_today_usd_micros",
        "entered_today_usd_micros",
    )
    search_fields = ("scope",)


@admin.register(Reservation)
class ReservationAdmin(_ReadOnlyAdmin):
    """Budget held and given back, order by order."""

    list_display = ("client_order_id", "usd_micros", "status", "created_at", "released_at")
    list_filter = ("status",)
    search_fields = ("client_order_id",)


@admin.register(Breaker)
class BreakerAdmin(_ReadOnlyAdmin):
    """Circuit breakers: armed, or tripped until when and why."""

    list_display = ("name", "chain_key", "effect", "until", "explanation", "detail", "trips")
    list_filter = ("name", "effect")
    actions = ("arm",)

    @admin.action(description="Arm again before its time", permissions=["reset"])
    def arm(self, request: HttpRequest, queryset: QuerySet[Breaker]) -> None:
        """Arm the chosen breakers; what they counted counts no more."""
        for row in queryset:
            breaker_reset(name=row.name, chain_key=row.chain_key, by=request.user.get_username())

    def has_reset_permission(self, request: HttpRequest) -> bool:
        """Tell whether this person may arm breakers."""
        return request.user.has_perm("risk.reset_breaker")


@admin.register(GuardWatch)
class GuardWatchAdmin(_ReadOnlyAdmin):
    """What the guards of open positions have found."""

    list_display = ("trace_id", "chain_key", "checked_block", "trigger_code", "triggered_block")
    list_filter = ("trigger_code", "chain_key")
    search_fields = ("trace_id",)


@admin.register(RefusedToken)
class RefusedTokenAdmin(_ReadOnlyAdmin):
    """Refused pairs and what became of them."""

    list_display = (
        "pair",
        "status",
        "rules",
        "refused_at",
        "died_by",
        "saved_usd_micros",
        "missed_usd_micros",
    )
    list_filter = ("status", "died_by", "chain_key")
    list_select_related = ("pair",)
    search_fields = ("trace_id", "pair__pair_key")
