"""Who stands before the sockets: session cookies looked up together, so that a crowd that comes back at once gets in.

A lookup costs the database a connection and several queries. All that wait are looked up in one go, each session once.
"""

from __future__ import annotations

import asyncio
from collections.abc import Iterable
from concurrent.futures import ThreadPoolExecutor
from importlib import import_module
from types import SimpleNamespace
from typing import Any, Final, cast
from weakref import WeakKeyDictionary

from channels.db import database_sync_to_async
from django.conf import settings
from django.contrib.auth import get_user
from django.http import HttpRequest, parse_cookie

from apps.api.streams_log import Listener, may_listen

COOKIE_LENGTH_MAX: Final = 8_192
KEY_LENGTH_MAX: Final = 64


class Door:
    """Looks up sessions for one event loop."""

    _by_loop: WeakKeyDictionary[asyncio.AbstractEventLoop, Door] = WeakKeyDictionary()

    def __init__(self) -> None:
        self._waiting: dict[str, asyncio.Future[Listener | None]] = {}
        self._task: asyncio.Task[None] | None = None
        self._thread = ThreadPoolExecutor(1, thread_name_prefix="door")
        self.lookups = 0

    @classmethod
    def of_loop(cls, loop: asyncio.AbstractEventLoop) -> Door:
        """Return the door of this loop."""
        found = cls._by_loop.get(loop)
        if found is None:
            found = cls._by_loop[loop] = cls()
        return found

    async def listener(self, session_key: str) -> Listener | None:
        """Return who comes with a session, None when nobody may with it. Raises DatabaseError."""
        future = self._waiting.get(session_key)
        if future is None:
            future = self._waiting[session_key] = asyncio.get_running_loop().create_future()
        if self._task is None or self._task.done():
            self._task = asyncio.create_task(self._look_up())
        return await asyncio.shield(future)

    async def _look_up(self) -> None:
        while self._waiting:
            asked, self._waiting = self._waiting, {}
            self.lookups += 1
            call = database_sync_to_async(_listeners, thread_sensitive=False, executor=self._thread)
            try:
                found = await call(tuple(asked))
            except Exception as error:  # noqa: BLE001 - whatever it is, those who wait are told
                for future in asked.values():
                    future.set_exception(error)
                    future.exception()  # who waited may be gone
            else:
                for key, future in asked.items():
                    future.set_result(found[key])


def session_key_of(headers: Iterable[tuple[bytes, bytes]]) -> str:
    """Return the session key in a request's cookies, "" when there is none."""
    text = next((value for name, value in headers if name == b"cookie"), b"")
    cookies = parse_cookie(text[:COOKIE_LENGTH_MAX].decode("latin1"))
    return cookies.get(settings.SESSION_COOKIE_NAME, "")[:KEY_LENGTH_MAX]


def _listeners(keys: tuple[str, ...]) -> dict[str, Listener | None]:
    store = import_module(settings.SESSION_ENGINE).SessionStore
    return {key: _listener(store(session_key=key), key) for key in keys}


def _listener(session: Any, key: str) -> Listener | None:
    user = get_user(cast(HttpRequest, SimpleNamespace(session=session)))
    return Listener(user.pk, key) if may_listen(user) and user.pk is not None else None
