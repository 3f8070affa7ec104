"""An OpenAPI description as a reference for people: operations by group, types in words. No script is needed to read it."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any, Final

_FIELDS_DEPTH_MAX: Final = 6
_FIELDS_MAX: Final = 200
_NOTHING: Final[Mapping[str, Any]] = {}


@dataclass(frozen=True, slots=True, kw_only=True)
class Field:
    """A field or parameter. ``path`` is dotted for fields of fields, with [] for lists."""

    path: str
    type: str
    is_required: bool
    help: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Described:
    """One operation."""

    id: str
    method: str
    path: str
    summary: str
    more: str
    scope: str
    permission: str
    parameters: tuple[Field, ...]
    body: tuple[Field, ...]
    answer: tuple[Field, ...]


def reference(description: Mapping[str, Any]) -> tuple[tuple[str, tuple[Described, ...]], ...]:
    """Return the operations by group, in the description's order."""
    schemas = description["components"]["schemas"]
    groups: dict[str, list[Described]] = {}
    for path, operations in description["paths"].items():
        for method, found in operations.items():
            group = (found.get("tags") or ["other"])[0]
            groups.setdefault(group, []).append(_described(path, method, found, schemas))
    return tuple((name, tuple(rows)) for name, rows in groups.items())


def _described(path: str, method: str, found: Mapping[str, Any], schemas: Mapping[str, Any]) -> Described:
    summary, _, more = found.get("description", found["summary"]).partition("\n")
    answer = _schema_of(_answer_of(found["responses"]))
    return Described(
        id=found["operationId"],
        method=method.upper(),
        path=path,
        summary=summary,
        more=more.strip(),
        scope=found.get("x-scope", ""),
        permission=found.get("x-permission", ""),
        parameters=tuple(
            Field(
                path=item["name"],
                type=f"{_type(item['schema'])} in {item['in']}",
                is_required=bool(item.get("required")),
                help=item.get("description", ""),
            )
            for item in found.get("parameters", ())
        ),
        body=_fields_of(_schema_of(found.get("requestBody") or _NOTHING), schemas),
        answer=_fields_of(answer, schemas),
    )


def _answer_of(responses: Mapping[Any, Any]) -> Mapping[str, Any]:
    """Return the good answer; a description that was read from a file has its status as text."""
    found: Mapping[str, Any] = responses.get(200) or responses.get("200") or {}
    return found


def _schema_of(content_holder: Mapping[str, Any]) -> Mapping[str, Any]:
    content: Mapping[str, Any] = content_holder.get("content") or _NOTHING
    first: Mapping[str, Any] = next(iter(content.values()), _NOTHING)
    schema: Mapping[str, Any] = first.get("schema", _NOTHING)
    return schema


def _fields_of(schema: Mapping[str, Any], schemas: Mapping[str, Any]) -> tuple[Field, ...]:
    found = _fields(schema, schemas, prefix="", depth=0)
    return tuple(field for field, _ in zip(found, range(_FIELDS_MAX), strict=False))


def _fields(
    schema: Mapping[str, Any], schemas: Mapping[str, Any], *, prefix: str, depth: int
) -> Iterator[Field]:
    schema = _resolved(schema, schemas)
    if depth >= _FIELDS_DEPTH_MAX:
        return
    for choice in _choices(schema):
        yield from _fields(choice, schemas, prefix=prefix, depth=depth + 1)
    if schema.get("type") == "array":
        yield from _fields(schema.get("items", {}), schemas, prefix=f"{prefix}[]", depth=depth + 1)
        return
    required = set(schema.get("required", ()))
    for name, item in schema.get("properties", {}).items():
        path = f"{prefix}.{name}" if prefix else name
        yield Field(
            path=path, type=_type(item), is_required=name in required, help=item.get("description", "")
        )
        yield from _fields(item, schemas, prefix=path, depth=depth + 1)


def _choices(schema: Mapping[str, Any]) -> tuple[Mapping[str, Any], ...]:
    found = schema.get("oneOf") or schema.get("anyOf") or schema.get("allOf") or ()
    return tuple(item for item in found if item.get("type") != "null")


def _resolved(schema: Mapping[str, Any], schemas: Mapping[str, Any]) -> Mapping[str, Any]:
    name = schema.get("$ref", "").rpartition("/")[2]
    resolved: Mapping[str, Any] = schemas.get(name, {}) if name else schema
    return resolved


def _type(schema: Mapping[str, Any]) -> str:
    if "$ref" in schema:
        return str(schema["$ref"]).rpartition("/")[2]
    if "const" in schema:
        return str(schema["const"])
    if "enum" in schema:
        return " | ".join(str(item) for item in schema["enum"])
    kinds = [_type(item) for item in schema.get("anyOf") or schema.get("oneOf") or ()]
    if kinds:
        return " | ".join(kinds)
    if schema.get("type") == "array":
        return f"list of {_type(schema.get('items', {}))}"
    word = str(schema.get("format") or schema.get("type") or "anything")
    least, most = schema.get("minimum"), schema.get("maximum")
    return word if least is None or most is None else f"{word} {least} to {most}"
