"""The form of the trading configuration, generated from its one schema: types, bounds, units and help are written there."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from decimal import Decimal
from typing import Any, get_args

from django import forms
from pydantic import BaseModel
from pydantic.fields import FieldInfo

from apps.domain.config import Effect, TradingConfig
from apps.domain.verdict import Gate
from apps.state.logic.config_faults import merged
from apps.state.services.config import REASON_LENGTH_MAX, ConfigRefusedError, config_validated

SEPARATOR = "__"  # "limits__position_max_usd" is the field of "limits.position_max_usd"
Widgets = Mapping[type[forms.Field], type[forms.Widget]]
_SIGNS = {"gt": "more than", "ge": "at least", "lt": "less than", "le": "at most"}


def sections() -> Iterator[tuple[str, type[BaseModel]]]:
    """Yield the schema's sections by name, in its own order."""
    for name, info in TradingConfig.model_fields.items():
        assert isinstance(info.annotation, type)
        yield name, info.annotation


def setting_fields(widgets: Widgets | None = None) -> dict[str, forms.Field]:
    """Return a form field for each setting, by form field name. ``widgets`` gives a site's own look by field class."""
    return {
        f"{section}{SEPARATOR}{name}": _field_of(name, info, widgets or {})
        for section, schema in sections()
        for name, info in schema.model_fields.items()
    }


def fieldsets() -> list[tuple[str, dict[str, Any]]]:
    """Return the sections with their explanations, as the admin wants them."""
    return [
        (
            section.capitalize(),
            {
                "fields": [f"{section}{SEPARATOR}{name}" for name in schema.model_fields],
                "description": schema.__doc__,
            },
        )
        for section, schema in sections()
    ]


def initial_of(config: TradingConfig) -> dict[str, Any]:
    """Return the configuration as initial values of the form."""
    return {
        f"{section}{SEPARATOR}{name}": _plain(getattr(getattr(config, section), name))
        for section, schema in sections()
        for name in schema.model_fields
    }


def _plain(value: Any) -> Any:
    """Return a level as its word, anything else as it is."""
    return value.word if isinstance(value, Gate | Effect) else value


def payload_of(cleaned: Mapping[str, Any]) -> dict[str, Any]:
    """Return what the form holds as a payload for ``config_change``."""
    payload: dict[str, Any] = {}
    for key, value in cleaned.items():
        section, found, name = key.partition(SEPARATOR)
        if found:
            plain = str(value) if isinstance(value, Decimal) else value
            payload = merged(payload, {section: {name: plain}})
    return payload


class ConfigFormMixin(forms.BaseForm):
    """Checks the whole configuration and puts each fault beside its field."""

    def clean(self) -> dict[str, Any]:
        """Return the cleaned data."""
        cleaned: dict[str, Any] = super().clean() or self.cleaned_data
        if self.errors:
            return cleaned
        try:
            config_validated(payload_of(cleaned))
        except ConfigRefusedError as error:
            for fault in error.faults:
                name = fault.path.replace(".", SEPARATOR)
                self.add_error(
                    name if name in self.fields else None, f"{fault.message}. {fault.remedy}".strip()
                )
        return cleaned


def reason_field(widgets: Widgets | None = None) -> forms.Field:
    """Return the field that asks why."""
    return forms.CharField(
        max_length=REASON_LENGTH_MAX,
        help_text="Why it is changed; stands in the log.",
        **_widget(forms.CharField, widgets or {}),
    )


def _field_of(name: str, info: FieldInfo, widgets: Widgets) -> forms.Field:
    kinds = get_args(info.annotation) or (info.annotation,)
    bounds = {sign: getattr(item, sign) for item in info.metadata for sign in _SIGNS if hasattr(item, sign)}
    extra = info.json_schema_extra if isinstance(info.json_schema_extra, dict) else {}
    unit = str(extra.get("unit", ""))
    options: dict[str, Any] = {
        "label": name.removesuffix("_bps")
        .removesuffix("_s")
        .removesuffix("_usd")
        .replace("_", " ")
        .capitalize(),
        "help_text": " ".join(filter(None, [info.description, _range_text(bounds, unit=unit)])),
        "required": type(None) not in kinds,
    }
    if bool in kinds:
        return forms.BooleanField(**options | {"required": False}, **_widget(forms.BooleanField, widgets))
    levels = _levels_of(kinds)
    if levels is not None:
        return forms.ChoiceField(
            **options | {"help_text": info.description},
            choices=[(word, word) for word in levels],
            **_widget(forms.ChoiceField, widgets),
        )
    if str in kinds:
        longest = next((item.max_length for item in info.metadata if hasattr(item, "max_length")), None)
        return forms.CharField(
            **options | {"required": False}, max_length=longest, **_widget(forms.CharField, widgets)
        )
    # Bounds that exclude their own value are left to the schema, which is asked in the end anyway.
    limits: dict[str, Any] = {"min_value": bounds.get("ge"), "max_value": bounds.get("le")}
    kind = forms.DecimalField if Decimal in kinds else forms.IntegerField
    return kind(**options, **limits, **_widget(kind, widgets))


def _levels_of(kinds: Sequence[Any]) -> tuple[str, ...] | None:
    """Return the words of a setting's levels, strictest first; None when it has none."""
    if Gate in kinds:
        return tuple(gate.word for gate in sorted(Gate, reverse=True))
    return tuple(effect.word for effect in sorted(Effect, reverse=True)) if Effect in kinds else None


def _widget(kind: type[forms.Field], widgets: Widgets) -> dict[str, Any]:
    return {"widget": widgets[kind]()} if kind in widgets else {}


def _range_text(bounds: Mapping[str, Any], *, unit: str) -> str:
    parts = [f"{_SIGNS[sign]} {value:,}" for sign, value in bounds.items()]
    text = " and ".join(parts)
    if not text:
        return f"({unit})" if unit else ""
    return f"({text} {unit})".replace(" )", ")")
