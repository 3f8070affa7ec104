"""The newest messages of the numbered log, kept once for all clients of a process. Pure: no clock, no database."""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Sequence
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Entry:
    """One message as it is sent, with its place in the log."""

    position: int
    type: str
    text: str


@dataclass(frozen=True, slots=True)
class Page:
    """Messages in order, and up to where the log is covered by them: lines of other kinds lie between."""

    entries: tuple[Entry, ...]
    reached: int


class Window:
    """Every message of the log after ``base`` up to ``last``, bounded in number and size; older ones fall out."""

    def __init__(self, *, at: int, messages_max: int, bytes_max: int) -> None:
        assert messages_max > 0
        assert bytes_max > 0
        self.base = self.last = at
        self._messages_max, self._bytes_max = messages_max, bytes_max
        self._entries: list[Entry] = []
        self._positions: list[int] = []
        self.bytes = 0

    def __len__(self) -> int:
        return len(self._entries)

    def extend(self, entries: Sequence[Entry], *, reached: int) -> None:
        """Add what the log holds after ``last`` up to ``reached``."""
        assert reached >= self.last, (reached, self.last)
        assert all(self.last < entry.position <= reached for entry in entries)
        self._entries += entries
        self._positions += [entry.position for entry in entries]
        self.bytes += sum(len(entry.text) for entry in entries)
        self.last = reached
        self._trim()

    def after(self, position: int, *, limit: int, until: int | None = None) -> Page | None:
        """Return what follows a position, up to ``until``; None when some of that has fallen out."""
        if position < self.base:
            return None
        end = self.last if until is None else min(until, self.last)
        first = bisect_right(self._positions, position)
        stop = bisect_right(self._positions, end, lo=first)
        found = tuple(self._entries[first : min(stop, first + limit)])
        return Page(found, found[-1].position if stop > first + limit else max(end, position))

    def _trim(self) -> None:
        drop = max(len(self._entries) - self._messages_max, 0)
        size = self.bytes - sum(len(entry.text) for entry in self._entries[:drop])
        while drop < len(self._entries) and size > self._bytes_max:
            size -= len(self._entries[drop].text)
            drop += 1
        if drop:
            self.base = self._positions[drop - 1]
            del self._entries[:drop], self._positions[:drop]
            self.bytes = size
