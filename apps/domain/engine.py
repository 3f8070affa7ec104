"""The engine's states."""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum
from typing import Literal

Mode = Literal["sandbox", "paper", "live"]
MODES: tuple[Mode, ...] = ("sandbox", "paper", "live")


class EngineStatus(Enum):
    """What the operator wants the engine to do; the value is stored."""

    STOPPED = "stopped"  # looks and records; no entries, no exits
    RUNNING = "running"  # entries and exits
    PAUSED = "paused"  # no entries; exits go on
    CLOSING = "closing"  # after "kill and close": sells everything, buys nothing
    EMERGENCY_STOPPED = "emergency_stopped"  # nothing is signed or sent


_E = EngineStatus
ENGINE_TRANSITIONS: frozenset[tuple[EngineStatus, EngineStatus]] = frozenset(
    {
        (_E.STOPPED, _E.RUNNING),
        (_E.STOPPED, _E.PAUSED),
        (_E.RUNNING, _E.PAUSED),
        (_E.RUNNING, _E.STOPPED),
        (_E.PAUSED, _E.RUNNING),
        (_E.PAUSED, _E.STOPPED),
        (_E.CLOSING, _E.STOPPED),
        (_E.EMERGENCY_STOPPED, _E.STOPPED),
        (_E.EMERGENCY_STOPPED, _E.PAUSED),
        (_E.EMERGENCY_STOPPED, _E.RUNNING),
    }
    | {(status, _E.EMERGENCY_STOPPED) for status in _E}
    | {(status, _E.CLOSING) for status in _E}
)


@dataclass(frozen=True, slots=True, kw_only=True)
class EngineView:
    """The engine as it stands. ``epoch`` grows by one at every kill, resume and start; orders carry it."""

    mode: Mode
    status: EngineStatus
    epoch: int
    reason: str
    changed_by: str
    changed_at_ms: int
    degraded: tuple[str, ...] = ()  # plain words, e.g. "broker unreachable"

    @property
    def may_enter(self) -> bool:
        """Tell whether new positions may be opened."""
        return self.status is EngineStatus.RUNNING

    @property
    def may_exit(self) -> bool:
        """Tell whether positions may be sold."""
        return self.status in (EngineStatus.RUNNING, EngineStatus.PAUSED, EngineStatus.CLOSING)
