"""The messages' reference for docs/sockets.md, made of the schemas themselves, so that it never says anything else."""

from __future__ import annotations

from typing import Any, Final

from apps.api.messages import PAYLOADS, SAID, STREAMS, Logged, schema_of

BEGIN: Final = "<!-- messages: made by manage.py sockets_reference; a test compares -->"
END: Final = "<!-- end of messages -->"


def reference() -> str:
    """Return the reference as Markdown, with its marks."""
    parts = [BEGIN, ""]
    for name, payload in PAYLOADS.items():
        streams = ", ".join(f"`{stream}`" for stream, types in STREAMS.items() if name in types)
        place = f" On {streams}." if streams else ""
        logged = " In the event log." if issubclass(payload, Logged) else ""
        parts += [f"### `{name}`", "", f"{(payload.__doc__ or '').strip()}{place}{logged}", ""]
        schema = schema_of(name)
        assert schema is not None
        parts += [*_table(schema["properties"]["payload"], schema), ""]
    for name, said in SAID.items():
        parts += [f"### You say `{name}`", "", (said.__doc__ or "").strip().replace("``", "`"), ""]
        schema = schema_of(f"client.{name}")
        assert schema is not None
        parts += [*_table(schema, schema), ""]
    return "\n".join([*parts, END])


def _table(node: dict[str, Any], schema: dict[str, Any]) -> list[str]:
    fields = _rows(node, schema, "")
    if not fields:
        return ["No fields."]
    return [
        "| field | type | |",
        "|---|---|---|",
        *[f"| `{name}` | {kind} | {text} |" for name, kind, text in fields],
    ]


def _rows(node: dict[str, Any], schema: dict[str, Any], before: str) -> list[tuple[str, str, str]]:
    found = []
    for name, item in _resolved(node, schema).get("properties", {}).items():
        if not before and name == "type":
            continue
        found.append((f"{before}{name}", _kind(item, schema), _text(item)))
        inner = item.get("items", {})
        if "$ref" in inner:
            found += _rows(inner, schema, f"{before}{name}[].")
    return found


def _resolved(node: dict[str, Any], schema: dict[str, Any]) -> dict[str, Any]:
    if "$ref" not in node:
        return node
    found: dict[str, Any] = schema["$defs"][node["$ref"].rpartition("/")[2]]
    return found


def _kind(item: dict[str, Any], schema: dict[str, Any]) -> str:
    if "anyOf" in item:
        return " or ".join(_kind(choice, schema) for choice in item["anyOf"])
    if "enum" in item:
        return ", ".join(f"`{value}`" for value in item["enum"])
    if item.get("type") == "array":
        return f"list of {_kind(item.get('items', {}), schema)}"
    if "$ref" in item:
        return "object"
    return {"string": "text", "integer": "whole number", "number": "number", "boolean": "yes or no"}.get(
        item.get("type", ""), str(item.get("type", "any"))
    )


def _text(item: dict[str, Any]) -> str:
    own = item.get("description", "")
    inner = next((choice["description"] for choice in item.get("anyOf", ()) if "description" in choice), "")
    return (own or inner).replace("|", "\\|")
