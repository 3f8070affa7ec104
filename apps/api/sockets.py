"""The JSON sockets ``/ws/autotrade`` and ``/ws/intelligence/{user_id}``: who may open them, what they may say."""

from __future__ import annotations

import asyncio
import logging
import time
from typing import Any, Final

from django.db import DatabaseError
from django.urls import re_path

from apps.api import streams_counts as counts
from apps.api import streams_log as log
from apps.api.messages import (
    AnySaid,
    Problem,
    SaidPing,
    SaidPong,
    SaidResume,
    SaidSubscribe,
    SaidUnsubscribe,
    said,
)
from apps.api.streams import CLIENTS_MAX, LATER_CODE, RESTART_CODE, Client, Hub, Stream
from apps.api.streams_door import Door, credential_of

logger = logging.getLogger(__name__)

MESSAGE_BYTES_MAX: Final = 4_096
#: A client may say so much a second, and so much at once; one that goes on far beyond that is closed.
SAID_PER_S: Final = 10.0
SAID_AT_ONCE: Final = 30
SAID_TOO_MUCH: Final = 100

TOO_LARGE_CODE: Final = 1009
TOO_MUCH_CODE: Final = 4429


class Allowance:
    """How much a client may still say: a bucket that fills by itself."""

    def __init__(self, now: float) -> None:
        self._left, self._at = float(SAID_AT_ONCE), now
        self.refused = 0

    def take(self, now: float) -> bool:
        """Use one up; False when there is none."""
        self._left = min(SAID_AT_ONCE, self._left + (now - self._at) * SAID_PER_S)
        self._at = now
        if self._left > SAID_AT_ONCE / 2:
            self.refused = 0
        if self._left < 1:
            self.refused += 1
            return False
        self._left -= 1
        return True


class JsonSocket:
    """An ASGI application: one instance serves all connections of a stream."""

    def __init__(self, stream: Stream) -> None:
        self._stream: Stream = stream

    async def __call__(self, scope: dict[str, Any], receive: Any, send: Any) -> None:
        """Serve one connection until it ends."""
        first = await receive()
        assert first["type"] == "websocket.connect", first
        listener, refusal = await self._admitted(scope)
        if listener is None:
            counts.REFUSED.labels(refusal).inc()
            await send({"type": "websocket.close"})
            return
        hub = Hub.of_loop(asyncio.get_running_loop())
        await send({"type": "websocket.accept"})
        if len(hub.clients) >= CLIENTS_MAX:
            counts.REFUSED.labels("too_many").inc()
            await send({"type": "websocket.close", "code": LATER_CODE})
            return
        client = self._client(listener, send, hub)
        try:
            await self._serve(client, hub, receive)
        except DatabaseError:
            logger.warning("a socket was not served: the database does not answer", exc_info=True)
            await send({"type": "websocket.close", "code": RESTART_CODE})
        finally:
            await hub.leave(client)

    async def _admitted(self, scope: dict[str, Any]) -> tuple[log.Listener | None, str]:
        """Return who may come in; None and why not."""
        credential = credential_of(scope["headers"])
        door = Door.of_loop(asyncio.get_running_loop())
        try:
            found = None if credential is None else await door.listener(credential)
        except DatabaseError:
            return None, "no_database"
        if found is None:
            return None, "not_allowed"
        owner = scope.get("url_route", {}).get("kwargs", {}).get("user_id")
        if owner is not None and int(owner) != found.user_id:
            return None, "of_another"
        return found, ""

    def _client(self, listener: log.Listener, send: Any, hub: Hub) -> Client:
        async def send_text(text: str) -> None:
            await send({"type": "websocket.send", "text": text})

        async def close(code: int) -> None:
            await send({"type": "websocket.close", "code": code})

        return Client(stream=self._stream, listener=listener, send=send_text, close=close, hub=hub)

    async def _serve(self, client: Client, hub: Hub, receive: Any) -> None:
        await hub.join(client)
        await client.begin()
        sending = asyncio.create_task(client.run())
        hearing = asyncio.create_task(_hear(client, receive))
        try:
            done, _ = await asyncio.wait({sending, hearing}, return_when=asyncio.FIRST_COMPLETED)
            for task in done:
                task.result()
        finally:
            for task in (sending, hearing):
                task.cancel()
            await asyncio.gather(sending, hearing, return_exceptions=True)


async def _hear(client: Client, receive: Any) -> None:
    """Listen to a client until it goes or has to go."""
    allowance = Allowance(time.monotonic())
    while True:
        message = await receive()
        if message["type"] != "websocket.receive":
            return
        text = message.get("text")
        if len(text or message.get("bytes") or "") > MESSAGE_BYTES_MAX:
            await client.close(TOO_LARGE_CODE)
            return
        if not allowance.take(time.monotonic()):
            if allowance.refused > SAID_TOO_MUCH:
                await client.close(TOO_MUCH_CODE)
                return
            if allowance.refused == 1:
                await client.complain(
                    "TOO_MANY_MESSAGES",
                    f"More than {SAID_PER_S:.0f} messages a second; those beyond are ignored.",
                    "Say less. Whoever goes on is disconnected.",
                )
            continue
        await _obey(client, said("" if text is None else text))


async def _obey(client: Client, heard: AnySaid | Problem) -> None:
    match heard:
        case Problem():
            await client.complain(heard.code, heard.detail, heard.remedy)
        case SaidPing():
            await client.ping()
        case SaidPong():
            client.answer(heard.last_id)
        case SaidResume():
            await client.resume(heard.last_id)
        case SaidSubscribe():
            await client.want(types=heard.types, is_more=True)
        case SaidUnsubscribe():
            await client.want(types=heard.types, is_more=False)


_AUTOTRADE: Final[Any] = JsonSocket("autotrade")
_INTELLIGENCE: Final[Any] = JsonSocket("intelligence")
websocket_urlpatterns: Final[list[Any]] = [
    re_path(r"^ws/autotrade/?$", _AUTOTRADE, name="autotrade"),
    re_path(r"^ws/intelligence/(?P<user_id>[0-9]{1,18})/?$", _INTELLIGENCE, name="intelligence"),
]
