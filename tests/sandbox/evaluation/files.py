"""Token files for tests: small contracts of the suite, and damaged ones."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from tests.programs import ROOT

SUITE = ROOT / "apps/sandbox/contracts/suite"
CASES = SUITE / "cases"
#: The parts as folders of CASES.
PARTS = ("tuning", "test", "held-out-2/tune", "held-out-2/final", "held-out-3", "held-out-4", "held-out-5")
#: The two that were there first.
FIRST_PARTS = PARTS[:2]


def suite_file(name: str) -> dict[str, Any]:
    """Return a token of the suite as its file gives it."""
    (path,) = CASES.rglob(f"{name}.json")
    content: dict[str, Any] = json.loads(path.read_text())
    return content


def token(**changes: Any) -> dict[str, Any]:
    """Return a plain token's file with changes; a key changed to None is left out."""
    content = {**suite_file("PlainOwned"), **changes}
    return {key: value for key, value in content.items() if value is not None}


def write(folder: Path, name: str, content: Any) -> Path:
    path = folder / f"{name}.json"
    path.write_text(content if isinstance(content, str) else json.dumps(content))
    return path
