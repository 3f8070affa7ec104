"""Contracts that only tests need. Compile with apps/sandbox/contracts/build.mjs."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

_COMPILED = Path(__file__).resolve().parent / "compiled"


def artifact(name: str) -> dict[str, Any]:
    """Return one of them, compiled."""
    loaded: dict[str, Any] = json.loads((_COMPILED / f"{name}.json").read_text(encoding="utf-8"))
    return loaded
