"""How long each part of an analysis takes, and how often code had been taken apart before."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from typing import Final, TypeVar

from apps.chains.evm.bytecode import view_of
from apps.chains.evm.facts import code_selectors
from apps.domain.estimate import Estimate
from apps.intelligence.logic.subject import Subject

_T = TypeVar("_T")
_CACHES: Final = {"code views": view_of.cache_info, "code selectors": code_selectors.cache_info}


class Stopwatch:
    """Times the parts of one analysis. ``durations_us`` are microseconds by the part's name."""

    def __init__(self) -> None:
        self.durations_us: dict[str, int] = {}

    def part(
        self, name: str, part: Callable[[Subject], tuple[Estimate, ...]], subject: Subject
    ) -> tuple[Estimate, ...]:
        """Return what a part says of the subject, timed."""
        return self.time(name, lambda: part(subject))

    def time(self, name: str, call: Callable[[], _T]) -> _T:
        """Return what the call gives, timed under this name; repeats add up."""
        started = time.perf_counter_ns()
        try:
            return call()
        finally:
            taken = (time.perf_counter_ns() - started) // 1_000
            self.durations_us[name] = self.durations_us.get(name, 0) + taken


class _CacheCounts:
    """Counts what this process's caches did since they were last asked about."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._seen = dict.fromkeys(_CACHES, (0, 0))

    def since_last(self) -> dict[str, list[int]]:
        """Return hits and misses of each cache since the last call of anyone in this process."""
        found = {}
        with self._lock:
            for name, info in _CACHES.items():
                hits, misses = info().hits, info().misses
                seen_hits, seen_misses = self._seen[name]
                self._seen[name] = (hits, misses)
                found[name] = [max(hits - seen_hits, 0), max(misses - seen_misses, 0)]
        return found


_counts = _CacheCounts()


def caches_since_last() -> dict[str, list[int]]:
    """Return hits and misses of this process's caches since the last call."""
    return _counts.since_last()
