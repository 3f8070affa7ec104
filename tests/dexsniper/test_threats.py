"""The table of threats names tests that are there."""

from __future__ import annotations

import re

from tests import programs


def test_threats_when_listed_then_each_test_exists() -> None:
    named = set(
        re.findall(r"`(test_\w+)`", (programs.ROOT / "docs" / "security.md").read_text(encoding="utf-8"))
    )
    assert len(named) > 30
    sources = (path.read_text(encoding="utf-8") for path in (programs.ROOT / "tests").rglob("test_*.py"))
    defined = {name for source in sources for name in re.findall(r"def (test_\w+)", source)}
    assert named - defined == set()
