"""Panels rendered once for all connections of a process that show the same."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable
from typing import Final
from weakref import WeakKeyDictionary

from channels.db import database_sync_to_async

from apps.dashboard.asks import Ask
from apps.dashboard.panels import Panel

Render = Callable[[Panel, Ask, frozenset[str]], str]
_Key = tuple[str, Ask, frozenset[str]]

#: Without an event in between a rendering is good for so long.
AGE_MAX_S: Final = 0.25
KEPT_MAX: Final = 256


class Renderings:
    """Renderings of one event loop. A rendering that began before an event was seen is never used for it."""

    _by_loop: WeakKeyDictionary[asyncio.AbstractEventLoop, Renderings] = WeakKeyDictionary()

    def __init__(self, render: Render) -> None:
        self._render = database_sync_to_async(render)
        self._seen = 0
        self._kept: dict[_Key, tuple[int, float, asyncio.Task[str]]] = {}
        self.rendered = 0

    @classmethod
    def of_loop(cls, loop: asyncio.AbstractEventLoop, render: Render) -> Renderings:
        """Return the renderings of this loop."""
        found = cls._by_loop.get(loop)
        if found is None:
            found = cls._by_loop[loop] = cls(render)
        return found

    def see(self, position: int) -> None:
        """Note that the event log has grown to this position."""
        self._seen = max(self._seen, position)

    async def html(self, panel: Panel, ask: Ask, grants: frozenset[str], *, since: float = 0.0) -> str:
        """Return a panel's markup, as new as the newest event seen and begun after ``since`` (monotonic seconds).

        A page that was loaded a moment ago must not be sent what was read before it.
        """
        key = (panel.name, ask, grants)
        position, started, task = self._kept.get(key, (-1, 0.0, None))
        too_old = position < self._seen or started < max(since, time.monotonic() - AGE_MAX_S)
        if task is None or too_old or (task.done() and (task.cancelled() or task.exception())):
            self._forget_old()
            self.rendered += 1
            task = asyncio.create_task(self._render(panel, ask, grants))
            self._kept[key] = (self._seen, time.monotonic(), task)
        return await asyncio.shield(task)  # one connection's end must not take it from the others

    def _forget_old(self) -> None:
        if len(self._kept) < KEPT_MAX:
            return
        self._kept = {key: item for key, item in self._kept.items() if not item[2].done()}
