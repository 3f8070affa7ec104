"""One thing looked at, and how it stands."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

Level = Literal["ok", "warning", "fault"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Check:
    """One thing looked at. ``remedy`` is "" when all is well, and never otherwise."""

    area: str
    name: str
    level: Level
    detail: str
    remedy: str = ""

    def __post_init__(self) -> None:
        assert (self.level == "ok") == (self.remedy == ""), (self.area, self.name)


def good(area: str, name: str, detail: str) -> Check:
    """Return a check that is as it should be."""
    return Check(area=area, name=name, level="ok", detail=detail)


def warning(area: str, name: str, detail: str, *, remedy: str) -> Check:
    """Return something a person should know of; the system works all the same."""
    return Check(area=area, name=name, level="warning", detail=detail, remedy=remedy)


def fault(area: str, name: str, detail: str, *, remedy: str) -> Check:
    """Return something that keeps the system from working."""
    return Check(area=area, name=name, level="fault", detail=detail, remedy=remedy)
