"""Compiled contracts: our own are in the project, those of the real exchanges come with ``make setup`` from npm."""

from __future__ import annotations

import json
from functools import cache
from pathlib import Path
from typing import Any

from eth_abi.abi import encode

from apps.domain.errors import ConfigurationError

_OWN = Path(__file__).resolve().parent / "contracts" / "compiled"
_NPM = Path(__file__).resolve().parent.parent.parent / "node_modules"


@cache
def own_artifact(name: str) -> dict[str, Any]:
    """Return one of our own compiled contracts."""
    loaded: dict[str, Any] = json.loads((_OWN / f"{name}.json").read_text(encoding="utf-8"))
    return loaded


@cache
def npm_artifact(path: str) -> dict[str, Any]:
    """Return a contract that an npm package carries. Raises ConfigurationError when it is not installed."""
    try:
        loaded: dict[str, Any] = json.loads((_NPM / path).read_text(encoding="utf-8"))
    except FileNotFoundError:
        raise ConfigurationError(
            f"The exchange's contract is missing: node_modules/{path}", remedy="Run 'make setup'."
        ) from None
    return loaded


def creation_code(
    artifact: dict[str, Any], *arguments: object, replace: tuple[str, str] | None = None
) -> bytes:
    """Return bytecode with its constructor arguments; ``replace`` swaps one hex word that must occur exactly once."""
    code = artifact["bytecode"].removeprefix("0x")
    if replace is not None:
        assert code.count(replace[0]) == 1, replace[0]
        code = code.replace(*replace)
    types = [
        _abi_type(item)
        for entry in artifact["abi"]
        if entry["type"] == "constructor"
        for item in entry["inputs"]
    ]
    return bytes.fromhex(code) + encode(types, arguments)


def _abi_type(item: dict[str, Any]) -> str:
    """Return an argument's type with tuples spelt out, as the encoder wants it."""
    if not item["type"].startswith("tuple"):
        return str(item["type"])
    return f"({','.join(map(_abi_type, item['components']))}){item['type'].removeprefix('tuple')}"
