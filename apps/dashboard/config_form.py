"""The configuration's form, made from the one schema: groups, help, units, bounds. The schema alone judges."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from decimal import Decimal
from types import NoneType
from typing import Any, get_args

from annotated_types import Ge, Gt, Le, Lt
from django import forms
from django.forms.boundfield import BoundField
from pydantic.fields import FieldInfo

from apps.dashboard.figures import percent_text
from apps.dashboard.selectors.configuration import changes_between
from apps.domain.config import TradingConfig
from apps.state.services.config import ConfigRefusedError, config_validated

#: Words of setting names that are abbreviations.
_SPELLED = {"lp": "LP", "ttl": "time to live", "top10": "top 10", "min": "minimum", "max": "maximum"}
#: What a value may be long: the largest bound has 10 digits.
VALUE_LENGTH_MAX = 30


@dataclass(frozen=True, slots=True, kw_only=True)
class Setting:
    """A field of the form with what stands around it."""

    field: BoundField
    unit: str
    bounds: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Group:
    """A section of the schema."""

    title: str
    help: str
    settings: tuple[Setting, ...]


class Switch(forms.BooleanField):
    """A box that is always answered: unset is an answer too."""

    def validate(self, value: Any) -> None:
        """Accept both answers."""


class ConfigForm(forms.Form):
    """All settings. ``payload`` and ``changes`` are there once the form is valid."""

    use_required_attribute = False

    def __init__(self, config: TradingConfig, data: Mapping[str, Any] | None = None) -> None:
        self._before = config.model_dump(mode="json")
        super().__init__(data=data, initial=_flat(self._before), auto_id="setting-%s")
        for section, info in _sections().items():
            for name, field in info.model_fields.items():
                self.fields[f"{section}-{name}"] = _field_of(field, name)
        self.payload: dict[str, Any] = {}
        self.changes: tuple[tuple[str, Any, Any], ...] = ()

    def clean(self) -> dict[str, Any]:
        """Let the schema judge; each fault is shown at its field."""
        given: dict[str, dict[str, Any]] = {}
        for name, value in self.cleaned_data.items():
            section, _, setting = name.partition("-")
            given.setdefault(section, {})[setting] = None if value == "" else value
        try:
            self.payload = config_validated(given).model_dump(mode="json")
        except ConfigRefusedError as error:
            for fault in error.faults:
                name = fault.path.replace(".", "-", 1)
                text = f"{fault.message[:1].upper()}{fault.message[1:]}. {fault.remedy}".strip()
                self.add_error(name if name in self.fields else None, text)
        else:
            self.changes = changes_between(self._before, self.payload)
        return self.cleaned_data

    @property
    def hidden_values(self) -> tuple[tuple[str, str], ...]:
        """Return the given values once more, for the form that saves them; an unset box is left out, as browsers do."""
        return tuple(
            (name, "on" if value is True else str(value))
            for name, value in self.cleaned_data.items()
            if value is not False
        )

    @property
    def groups(self) -> tuple[Group, ...]:
        """Return the fields by section, in the schema's order."""
        return tuple(
            Group(
                title=section.capitalize(),
                help=(model.__doc__ or "").strip(),
                settings=tuple(
                    Setting(
                        field=self[f"{section}-{name}"],
                        unit=_unit(field),
                        bounds=_bounds(field, self._before[section][name]),
                    )
                    for name, field in model.model_fields.items()
                ),
            )
            for section, model in _sections().items()
        )


def _sections() -> dict[str, Any]:
    return {name: info.annotation for name, info in TradingConfig.model_fields.items()}


def _flat(tree: dict[str, dict[str, Any]]) -> dict[str, Any]:
    return {
        f"{section}-{name}": "" if value is None else value
        for section, settings in tree.items()
        for name, value in settings.items()
    }


def _unit(field: FieldInfo) -> str:
    extra = field.json_schema_extra
    return str(extra.get("unit", "")) if isinstance(extra, dict) else ""


def _types(field: FieldInfo) -> tuple[Any, ...]:
    return get_args(field.annotation) or (field.annotation,)


def _field_of(field: FieldInfo, name: str) -> forms.Field:
    label = _label(name, _unit(field))
    if bool in _types(field):
        return Switch(label=label, help_text=field.description or "")
    low, high = _limits(field)
    attributes = {
        "step": "any" if Decimal in _types(field) else "1",
        "inputmode": "decimal" if Decimal in _types(field) else "numeric",
        "autocomplete": "off",
    }
    if low is not None:
        attributes["min"] = str(low)
    if high is not None:
        attributes["max"] = str(high)
    return forms.CharField(
        label=label,
        help_text=field.description or "",
        required=NoneType not in _types(field),
        max_length=VALUE_LENGTH_MAX,
        widget=forms.NumberInput(attrs=attributes),
    )


def _label(name: str, unit: str) -> str:
    for suffix in ("_usd", "_bps", "_s"):
        if unit:
            name = name.removesuffix(suffix)
    words = [_SPELLED.get(word, word) for word in name.split("_")]
    return " ".join([words[0][:1].upper() + words[0][1:], *words[1:]])


def _limits(field: FieldInfo) -> tuple[Any, Any]:
    low = next(
        (
            rule.ge if isinstance(rule, Ge) else rule.gt
            for rule in field.metadata
            if isinstance(rule, Ge | Gt)
        ),
        None,
    )
    high = next(
        (
            rule.le if isinstance(rule, Le) else rule.lt
            for rule in field.metadata
            if isinstance(rule, Le | Lt)
        ),
        None,
    )
    return low, high


def _bounds(field: FieldInfo, now: Any) -> str:
    """Return the bounds in words, and basis points as the per cent they are."""
    low, high = _limits(field)
    parts = []
    if low is not None and high is not None:
        above = "Above " if any(isinstance(rule, Gt) for rule in field.metadata) else ""
        parts.append(f"{above}{low:,} to {high:,}")
    if _unit(field) == "bps" and isinstance(now, int):
        parts.append(f"now {percent_text(now)}")
    return "; ".join(parts)
