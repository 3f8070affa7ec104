"""Probes and evidence as plain JSON and back: whole numbers as text, because JSON's readers round large ones.

What is stored is what was observed, so that estimates can be worked out again, offline and by later code.
"""

from __future__ import annotations

import types
import typing
from collections.abc import Iterable, Mapping
from dataclasses import fields, is_dataclass
from typing import Any, Literal, TypeVar, Union

from apps.domain.analysis import Evidence
from apps.domain.market import BlockRef, RoundTrip
from apps.domain.probes import (
    CodeFacts,
    Commander,
    Holdings,
    Lever,
    OwnerAct,
    ProbeCall,
    TokenProbes,
    TradeProbe,
    UpgradePower,
    Windfall,
)

_T = TypeVar("_T")
_KINDS = (
    BlockRef,
    CodeFacts,
    Commander,
    Evidence,
    Holdings,
    Lever,
    OwnerAct,
    ProbeCall,
    RoundTrip,
    TokenProbes,
    TradeProbe,
    UpgradePower,
    Windfall,
)
_HINTS: dict[type, dict[str, Any]] = {kind: typing.get_type_hints(kind) for kind in _KINDS}
#: What rows lack that were stored before there was such a field.
_ADDED = frozenset({"levers", "windfall", "target"})
#: Amounts end so; counts and times are small and stay numbers.
_AMOUNT_SUFFIX = "_raw"


def probes_to_json(probes: TokenProbes) -> dict[str, Any]:
    """Return the probes as plain JSON."""
    plain: dict[str, Any] = _to_json(probes)
    return plain


def probes_from_json(row: Mapping[str, Any]) -> TokenProbes:
    """Return stored probes. Raises KeyError or ValueError when the row is not such a one."""
    return _from_json(TokenProbes, row)


def evidence_to_json(evidence: Iterable[Evidence]) -> list[dict[str, Any]]:
    """Return the evidence as plain JSON."""
    return [_to_json(item) for item in evidence]


def evidence_from_json(rows: Iterable[Mapping[str, Any]]) -> tuple[Evidence, ...]:
    """Return stored evidence."""
    return tuple(_from_json(Evidence, row) for row in rows)


def _to_json(value: Any) -> Any:
    if is_dataclass(value) and not isinstance(value, type):
        return {item.name: _amount_or_json(item.name, getattr(value, item.name)) for item in fields(value)}
    if isinstance(value, tuple):
        return [_to_json(item) for item in value]
    if isinstance(value, Mapping):
        return {str(key): _to_json(item) for key, item in value.items()}
    return value


def _amount_or_json(name: str, value: Any) -> Any:
    return str(value) if name.endswith(_AMOUNT_SUFFIX) and value is not None else _to_json(value)


def _from_json(kind: type[_T], row: Mapping[str, Any]) -> _T:
    values = {
        name: _value(hint, row[name], is_amount=name.endswith(_AMOUNT_SUFFIX))
        for name, hint in _HINTS[kind].items()
        if name in row or name not in _ADDED
    }
    return kind(**values)


def _value(hint: Any, plain: Any, *, is_amount: bool) -> Any:
    if plain is None:
        return None
    if is_amount:
        return int(plain)
    origin, arguments = typing.get_origin(hint), typing.get_args(hint)
    if origin in (Union, types.UnionType):
        return _value(next(item for item in arguments if item is not type(None)), plain, is_amount=is_amount)
    if origin is tuple:
        return tuple(_value(arguments[0], item, is_amount=False) for item in plain)
    if origin is Literal:
        if plain not in arguments:
            raise ValueError(f"{plain!r} is none of {arguments}")
        return plain
    if hint in _KINDS:
        return _from_json(hint, plain)
    return dict(plain) if isinstance(plain, dict) else plain
