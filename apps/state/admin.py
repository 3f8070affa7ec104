"""How the system runs, in the admin: mostly to look at. What changes goes through services and is recorded."""

from __future__ import annotations

import json
from types import new_class
from typing import Any

from django import forms
from django.contrib import admin, messages
from django.db.models import Model, QuerySet
from django.http import HttpRequest
from django.utils.html import format_html
from django_otp.plugins.otp_static.models import StaticDevice
from django_otp.plugins.otp_totp.models import TOTPDevice
from unfold.admin import ModelAdmin
from unfold.widgets import (
    UnfoldAdminDecimalFieldWidget,
    UnfoldAdminIntegerFieldWidget,
    UnfoldAdminSelectWidget,
    UnfoldAdminTextInputWidget,
    UnfoldBooleanSwitchWidget,
)

from apps.state.forms import (
    ConfigFormMixin,
    fieldsets,
    initial_of,
    payload_of,
    reason_field,
    setting_fields,
)
from apps.state.models import ConfigRevision, EngineState, Event, Heartbeat, Incident
from apps.state.services.config import active_config, config_change
from apps.state.services.incidents import incident_resolve

# Second factors are set up by whoever holds them and taken away by `manage.py second_factor`, recorded either way.
for _device in (StaticDevice, TOTPDevice):
    if admin.site.is_registered(_device):
        admin.site.unregister(_device)

_WIDGETS: dict[type[forms.Field], type[forms.Widget]] = {
    forms.DecimalField: UnfoldAdminDecimalFieldWidget,
    forms.IntegerField: UnfoldAdminIntegerFieldWidget,
    forms.CharField: UnfoldAdminTextInputWidget,
    forms.BooleanField: UnfoldBooleanSwitchWidget,
    forms.ChoiceField: UnfoldAdminSelectWidget,
}


class ReadOnlyAdmin(ModelAdmin):
    """Rows to look at: nothing is added, changed or removed by hand."""

    def has_add_permission(self, request: HttpRequest) -> bool:
        """Refuse."""
        return False

    def has_change_permission(self, request: HttpRequest, obj: Model | None = None) -> bool:
        """Refuse."""
        return False

    def has_delete_permission(self, request: HttpRequest, obj: Model | None = None) -> bool:
        """Refuse."""
        return False


@admin.register(EngineState)
class EngineStateAdmin(ReadOnlyAdmin):
    """The engine's row."""

    list_display = ["mode", "status", "epoch", "reason", "changed_by", "changed_at"]


class _RevisionForm(ConfigFormMixin, forms.ModelForm):
    """Every setting of the trading configuration, and why it is changed."""

    class Meta:
        model = ConfigRevision
        fields = ["reason"]


def _add_settings(namespace: dict[str, Any]) -> None:
    namespace |= {**setting_fields(_WIDGETS), "reason": reason_field(_WIDGETS), "__module__": __name__}


#: The settings become declared fields, so that the admin finds them.
ConfigRevisionForm = new_class("ConfigRevisionForm", (_RevisionForm,), exec_body=_add_settings)


@admin.register(ConfigRevision)
class ConfigRevisionAdmin(ModelAdmin):
    """Revisions to look at. Adding one makes it active; none is ever changed or removed."""

    form = ConfigRevisionForm
    list_display = ["number", "is_active", "reason", "created_by", "created_at"]
    fields = ["number", "is_active", "reason", "created_by", "created_at", "settings"]
    readonly_fields = ["settings"]

    def has_change_permission(self, request: HttpRequest, obj: Model | None = None) -> bool:
        """Refuse: a revision stays as it was."""
        return False

    def has_delete_permission(self, request: HttpRequest, obj: Model | None = None) -> bool:
        """Refuse: verdicts and decisions refer to it."""
        return False

    def get_fieldsets(self, request: HttpRequest, obj: Any = None) -> Any:
        """Return the schema's sections for a new revision."""
        return super().get_fieldsets(request, obj) if obj else [(None, {"fields": ["reason"]}), *fieldsets()]

    def get_readonly_fields(self, request: HttpRequest, obj: Any = None) -> Any:
        """Return nothing for a new revision."""
        return super().get_readonly_fields(request, obj) if obj else []

    def get_changeform_initial_data(self, request: HttpRequest) -> dict[str, Any]:
        """Start from the active configuration."""
        return initial_of(active_config().config)

    def save_model(self, request: HttpRequest, obj: Any, form: Any, change: Any) -> None:
        """Make the new revision by the service and let the admin go on with its row."""
        number = config_change(
            payload=payload_of(form.cleaned_data),
            by=request.user.get_username(),
            reason=form.cleaned_data["reason"],
        )
        obj.__dict__.update(ConfigRevision.objects.get(number=number).__dict__)

    @admin.display(description="settings")
    def settings(self, obj: ConfigRevision) -> str:
        """Return the payload, readable."""
        return _pretty(obj.payload)


@admin.register(Incident)
class IncidentAdmin(ReadOnlyAdmin):
    """Incidents, with the act of resolving them."""

    list_display = ["title", "severity", "category", "count", "last_at", "resolved_at", "remedy"]
    list_filter = ["severity", "category", "resolved_at"]
    search_fields = ["title", "code", "trace_id"]
    actions = ["resolve"]

    def has_resolve_permission(self, request: HttpRequest) -> bool:
        """Tell whether this person may resolve incidents."""
        return request.user.has_perm("state.change_incident")

    @admin.action(description="Resolve", permissions=["resolve"])
    def resolve(self, request: HttpRequest, queryset: QuerySet[Incident]) -> None:
        """Resolve the chosen incidents."""
        keys = list(queryset.filter(resolved_at=None).values_list("dedup_key", flat=True))
        done = sum(incident_resolve(dedup_key=key, by=request.user.get_username()) for key in keys)
        self.message_user(request, f"{done} resolved.", messages.SUCCESS)


@admin.register(Event)
class EventAdmin(ReadOnlyAdmin):
    """The log."""

    list_display = ["position", "at", "kind", "actor", "subject", "summary"]
    list_filter = ["kind"]
    search_fields = ["subject", "trace_id", "summary", "actor"]
    show_full_result_count = False
    ordering = ["-id"]


@admin.register(Heartbeat)
class HeartbeatAdmin(ReadOnlyAdmin):
    """Signs of life."""

    list_display = ["component", "status", "beat_at", "pid"]


def _pretty(payload: Any) -> str:
    return format_html("<pre>{}</pre>", json.dumps(payload, indent=2, ensure_ascii=False))
