"""The configuration's form on the pages: the schema's fields in its groups, and what would change."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from django import forms
from django.forms.boundfield import BoundField

from apps.dashboard.figures import duration_text, percent_text
from apps.dashboard.selectors.configuration import changes_between
from apps.domain.config import TradingConfig
from apps.state.forms import SEPARATOR, ConfigFormMixin, initial_of, payload_of, sections, setting_fields
from apps.state.services.config import config_validated


@dataclass(frozen=True, slots=True, kw_only=True)
class Setting:
    """A field of the form. ``now`` is the present value in words where the unit is hard to read: 500 bps is 5%."""

    field: BoundField
    unit: str  # "" where the field's own words say it
    now: str
    is_switch: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class Group:
    """A section of the schema."""

    title: str
    help: str
    settings: tuple[Setting, ...]


class ConfigForm(ConfigFormMixin, forms.Form):
    """All settings. ``payload`` and ``changes`` are there once the form is valid."""

    use_required_attribute = False

    def __init__(self, config: TradingConfig, data: Mapping[str, Any] | None = None) -> None:
        self._before = config.model_dump(mode="json")
        super().__init__(data=data, initial=initial_of(config), auto_id="setting-%s")
        self.fields.update(setting_fields())
        for field in self.fields.values():
            field.widget.attrs.setdefault("autocomplete", "off")
        self.payload: dict[str, Any] = {}
        self.changes: tuple[tuple[str, Any, Any], ...] = ()

    def clean(self) -> dict[str, Any]:
        """Let the schema judge, and work out what would change."""
        cleaned = super().clean()
        if not self.errors:
            self.payload = config_validated(payload_of(cleaned)).model_dump(mode="json")
            self.changes = changes_between(self._before, self.payload)
        return cleaned

    @property
    def hidden_values(self) -> tuple[tuple[str, str], ...]:
        """Return the given values once more, for the form that saves them; an unset box is left out, as browsers do."""
        return tuple(
            (name, "" if value is None else "on" if value is True else str(value))
            for name, value in self.cleaned_data.items()
            if value is not False
        )

    @property
    def groups(self) -> tuple[Group, ...]:
        """Return the fields by section, in the schema's order."""
        return tuple(
            Group(
                title=section.capitalize(),
                help=(schema.__doc__ or "").strip(),
                settings=tuple(
                    self._setting(section, name, schema.model_fields[name]) for name in schema.model_fields
                ),
            )
            for section, schema in sections()
        )

    def _setting(self, section: str, name: str, info: Any) -> Setting:
        field = self[f"{section}{SEPARATOR}{name}"]
        unit = "" if _is_choice(field) else str((info.json_schema_extra or {}).get("unit", ""))
        value = self._before[section][name]
        now = ""
        if isinstance(value, int):
            now = percent_text(value) if unit == "bps" else duration_text(value) if unit == "s" else ""
        return Setting(
            field=field,
            unit=unit,
            now=f"Now {now}" if now else "",
            is_switch=isinstance(field.field, forms.BooleanField),
        )


def _is_choice(field: BoundField) -> bool:
    return isinstance(field.field, forms.ChoiceField)
