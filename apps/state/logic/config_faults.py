"""What is wrong with a proposed configuration, and what it would change: in words, by field path."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from pydantic import ValidationError


@dataclass(frozen=True, slots=True, kw_only=True)
class ConfigFault:
    """One fault. ``path`` is "limits.position_max_usd", or "" when fields disagree with each other."""

    path: str
    message: str
    remedy: str


#: pydantic's error type -> (message, remedy); ``{…}`` are filled from the error's own context.
_WORDS = {
    "greater_than": ("{input} is not above {gt}", "Give more than {gt}."),
    "greater_than_equal": ("{input} is below {ge}", "Give {ge} or more."),
    "less_than": ("{input} is not below {lt}", "Give less than {lt}."),
    "less_than_equal": ("{input} is above {le}", "Give {le} or less."),
    "int_parsing": ("{input} is not a whole number", "Give a whole number."),
    "int_type": ("{input} is not a whole number", "Give a whole number."),
    "int_from_float": ("{input} is not a whole number", "Give a whole number."),
    "decimal_parsing": ("{input} is not a number", "Give a number such as 250 or 12.50."),
    "decimal_type": ("{input} is not a number", "Give a number such as 250 or 12.50."),
    "decimal_max_places": ("{input} has too many decimals", "Give at most {decimal_places} decimals."),
    "finite_number": ("{input} is not a finite number", "Give a finite number."),
    "bool_parsing": ("{input} is neither true nor false", "Give true or false."),
    "bool_type": ("{input} is neither true nor false", "Give true or false."),
    "extra_forbidden": ("there is no such setting", "Remove it, or mend its name."),
    "model_type": ("a group of settings is expected", "Give an object with named settings."),
}
_INPUT_LENGTH_MAX = 60


def faults_of(error: ValidationError) -> tuple[ConfigFault, ...]:
    """Return pydantic's errors in plain words with a remedy each."""
    return tuple(_fault_of(item) for item in error.errors(include_url=False))


def _fault_of(item: Mapping[str, Any]) -> ConfigFault:
    path = ".".join(str(part) for part in item["loc"])
    kind = str(item["type"])
    if kind == "value_error":
        # Our own validators write "what is wrong: how to mend it".
        text = str(item["msg"]).removeprefix("Value error, ")
        message, _, remedy = text.partition(": ")
        return ConfigFault(path=path, message=message, remedy=_sentence(remedy))
    words = _WORDS.get(kind)
    if words is None:
        return ConfigFault(path=path, message=str(item["msg"]), remedy="Mend the value.")
    values = {"input": repr(item.get("input"))[:_INPUT_LENGTH_MAX], **item.get("ctx", {})}
    return ConfigFault(path=path, message=words[0].format(**values), remedy=words[1].format(**values))


def _sentence(text: str) -> str:
    return text[:1].upper() + text[1:] + "." if text else ""


def merged(before: Mapping[str, Any], changes: Mapping[str, Any]) -> dict[str, Any]:
    """Return ``before`` with ``changes`` laid over it, section by section."""
    result: dict[str, Any] = dict(before)
    for key, value in changes.items():
        present = result.get(key)
        both = isinstance(present, Mapping) and isinstance(value, Mapping)
        result[key] = merged(present, value) if both and isinstance(present, Mapping) else value
    return result


def config_diff(before: Mapping[str, Any], after: Mapping[str, Any]) -> dict[str, list[Any]]:
    """Return ``{"limits.position_max_usd": [old, new]}`` for every setting that differs; None where it is absent."""
    old, new = _flat(before), _flat(after)
    return {
        path: [old.get(path), new.get(path)] for path in sorted(old | new) if old.get(path) != new.get(path)
    }


def _flat(tree: Mapping[str, Any], prefix: str = "") -> dict[str, Any]:
    leaves: dict[str, Any] = {}
    for key, value in tree.items():
        if isinstance(value, Mapping):
            leaves |= _flat(value, f"{prefix}{key}.")
        else:
            leaves[f"{prefix}{key}"] = value
    return leaves
