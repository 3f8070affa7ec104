"""How often we may ask an outside service."""

from __future__ import annotations

from dataclasses import dataclass, field


@dataclass(slots=True, kw_only=True)
class TokenBucket:
    """Allow ``per_min`` requests a minute, at most ``burst`` of them at once. Time is an argument, in seconds."""

    per_min: int
    burst: int
    _level: float = field(init=False)
    _at_s: float | None = field(init=False, default=None)

    def __post_init__(self) -> None:
        assert self.per_min > 0, self.per_min
        assert self.burst > 0, self.burst
        self._level = float(self.burst)

    def take(self, now_s: float) -> bool:
        """Take one request's leave; False when it has to wait for another time."""
        passed_s = 0.0 if self._at_s is None else max(0.0, now_s - self._at_s)
        self._at_s = now_s
        self._level = min(float(self.burst), self._level + passed_s * self.per_min / 60)
        if self._level < 1:
            return False
        self._level -= 1
        return True
