"""Who stands before the sockets: sessions and tokens looked up together, so that a crowd that comes back at once gets in.

A lookup costs the database a connection and several queries. All that wait are looked up in one go, each session once.
"""

from __future__ import annotations

import asyncio
from collections.abc import Iterable
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from dataclasses import dataclass, field
from typing import Final
from weakref import WeakKeyDictionary

from channels.db import database_sync_to_async
from django.conf import settings
from django.db import DatabaseError
from django.http import parse_cookie

from apps.api.scopes import scopes_permit
from apps.api.services.tokens import token_found, token_used
from apps.api.streams_log import Listener, may_listen
from apps.state.permissions import LOOK
from apps.state.services.sessions import session_user

COOKIE_LENGTH_MAX: Final = 8_192
KEY_LENGTH_MAX: Final = 128
_SCHEME: Final = "bearer "
#: A token must have this permission's scope; its user must be one who may listen.
_SCOPE_OF: Final = LOOK


@dataclass(frozen=True, slots=True)
class Credential:
    """What somebody comes with."""

    text: str = field(repr=False)
    is_token: bool = False


class Door:
    """Looks up sessions for one event loop."""

    _by_loop: WeakKeyDictionary[asyncio.AbstractEventLoop, Door] = WeakKeyDictionary()

    def __init__(self) -> None:
        self._waiting: dict[Credential, asyncio.Future[Listener | None]] = {}
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

    async def listener(self, credential: Credential) -> Listener | None:
        """Return who comes with a session or token, None when nobody may with it. Raises DatabaseError."""
        future = self._waiting.get(credential)
        if future is None:
            future = self._waiting[credential] = asyncio.get_running_loop().create_future()
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


def credential_of(headers: Iterable[tuple[bytes, bytes]]) -> Credential | None:
    """Return the token in a request's headers, else the session key in its cookies, None without either."""
    named = dict(headers)
    authorization = named.get(b"authorization", b"").decode("latin1")
    if authorization:
        token = authorization[len(_SCHEME) :].strip()
        is_bearer = authorization[: len(_SCHEME)].lower() == _SCHEME and len(token) <= KEY_LENGTH_MAX
        return Credential(token, is_token=True) if is_bearer else None
    cookies = parse_cookie(named.get(b"cookie", b"")[:COOKIE_LENGTH_MAX].decode("latin1"))
    key = cookies.get(settings.SESSION_COOKIE_NAME, "")
    return Credential(key) if 0 < len(key) <= KEY_LENGTH_MAX else None


def _listeners(asked: tuple[Credential, ...]) -> dict[Credential, Listener | None]:
    return {item: _of_token(item.text) if item.is_token else _of_session(item.text) for item in asked}


def _of_session(key: str) -> Listener | None:
    user = session_user(key)
    return Listener(user.pk, session_key=key) if may_listen(user) and user.pk is not None else None


def _of_token(presented: str) -> Listener | None:
    found = token_found(presented)
    if found is None or not scopes_permit(found.scopes, _SCOPE_OF) or not may_listen(found.user):
        return None
    with suppress(
        DatabaseError
    ):  # a busy database: a socket only reads, and others are looked up with this one
        token_used(found)
    return Listener(found.user.pk, token_id=found.pk)
