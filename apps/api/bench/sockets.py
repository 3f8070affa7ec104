"""How the JSON sockets bear many clients: 200 at 20 messages a second, and all of them coming back at once.

Each message is recorded as an event and numbered by the relay as in the running system; its latency is from that record
to the client. The clients share this process, so their work is in the figures too.
"""

from __future__ import annotations

import asyncio
import json
import threading
import time
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import datetime
from importlib import import_module
from typing import Any, Final

from django.conf import settings
from django.contrib.auth import BACKEND_SESSION_KEY, HASH_SESSION_KEY, SESSION_KEY, get_user_model
from django.db import close_old_connections
from websockets.asyncio.client import ClientConnection, connect
from websockets.exceptions import ConnectionClosed, WebSocketException

from apps.domain.errors import NetworkError
from apps.domain.events import EventKind
from apps.intelligence.logic.processing import quantile
from apps.state.models import Event
from apps.state.services.events import event_record
from apps.state.services.relay import relay_once

#: What runs beside this measurement.
WORKERS = ("broker", "web")
TIME_MAX_S = 240
SECONDS: Final = 60
CLIENTS: Final = 200
PER_S: Final = 20
_ALONE_S: Final = 5
_AFTER_STORM_S: Final = 5
_RELAY_EVERY_S: Final = 0.1
_DRAIN_S: Final = 10.0
_START_MAX_S: Final = 90.0
_TRY_S: Final = 3.0
_AT_ONCE: Final = 50  # connections that are being opened; a browser's back-log is no larger
_KIND: Final = EventKind.OPPORTUNITY_FOUND
_BACKEND: Final = "django.contrib.auth.backends.ModelBackend"


@dataclass(slots=True)
class _Client:
    """One client: what it got, in order."""

    ids: list[int] = field(default_factory=list)
    latencies_us: list[int] = field(default_factory=list)
    errors: list[str] = field(default_factory=list)
    begun: asyncio.Event = field(default_factory=asyncio.Event)
    socket: ClientConnection | None = None
    is_cut: bool = False

    async def listen(self, cookie: str, gate: asyncio.Semaphore, *, resume_after: int | None = None) -> None:
        """Stay connected until cancelled or cut."""
        address = f"ws://{settings.ENV.host}:{settings.ENV.port}"
        headers = {"Cookie": cookie}
        origin: Any = address.replace("ws:", "http:")
        try:
            async with gate:
                self.socket = await connect(
                    f"{address}/ws/autotrade",
                    origin=origin,
                    additional_headers=headers,
                    ping_interval=None,
                    compression=None,
                    open_timeout=30,
                )
            if resume_after is not None:
                await self.socket.send(json.dumps({"type": "resume", "last_id": resume_after}))
            async for text in self.socket:
                await self._hear(json.loads(text), is_resuming=resume_after is not None)
        except ConnectionClosed as closed:
            if not self.is_cut:
                self.errors.append(f"closed: {closed}"[:100])
        except (OSError, TimeoutError, WebSocketException) as error:
            self.errors.append(f"{type(error).__name__}: {error}"[:100])

    async def _hear(self, message: dict[str, Any], *, is_resuming: bool) -> None:
        match message["type"]:
            case _KIND.value:
                now = time.time()
                self.ids.append(message["id"])
                at = datetime.fromisoformat(message["at"]).timestamp()
                self.latencies_us.append(int((now - at) * 1_000_000))
            case "heartbeat":
                assert self.socket is not None
                answer = {"type": "pong", "last_id": message["payload"]["last_id"]}
                await self.socket.send(json.dumps(answer))
            case "resumed":
                self.begun.set()
            case "hello" if not is_resuming:
                self.begun.set()
            case "problem" | "resync" | "gap":
                self.errors.append(message["type"])

    def cut(self) -> None:
        """Lose the connection without a word, as a network would."""
        self.is_cut = True
        if self.socket is not None:
            self.socket.transport.abort()


class _Source:
    """Records events at a steady pace, and numbers them as the listener does."""

    def __init__(self) -> None:
        self._stop = threading.Event()
        self._recorder = threading.Thread(target=self._record)
        self._relay_thread = threading.Thread(target=self._relay)

    def __enter__(self) -> _Source:
        self._recorder.start()
        self._relay_thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._stop.set()
        self._recorder.join()
        self._relay_thread.join()

    def _record(self) -> None:
        due = time.monotonic()
        while not self._stop.is_set():
            event_record(
                kind=_KIND,
                summary="New pair MEASURED seen by bench",
                subject="pair:1",
                trace_id="0" * 32,
                payload={
                    "pair": "eip155:1:0x" + "0" * 40,
                    "base": "0x" + "0" * 40,
                    "symbol": "MEASURED",
                    "block": 1,
                },
            )
            due += 1 / PER_S
            self._stop.wait(max(0.0, due - time.monotonic()))
        close_old_connections()

    def _relay(self) -> None:
        while self._recorder.is_alive():
            relay_once()
            time.sleep(_RELAY_EVERY_S)
        relay_once()
        close_old_connections()


def run(seconds: int = SECONDS) -> dict[str, Any]:
    """Measure; times are in milliseconds unless their name says otherwise."""
    cookie = _cookie()
    asyncio.run(_wait_for_server(cookie))
    alone = asyncio.run(_measure(cookie, clients=1, seconds=min(_ALONE_S, seconds), storm=False))
    many = asyncio.run(_measure(cookie, clients=CLIENTS, seconds=seconds, storm=True))
    p95 = many["latency_ms"]["p95"]
    return {
        "figures": many,
        "baseline": {"one_client_latency_ms": alone["latency_ms"]},
        "ratio": {"p95_over_one_client": round(p95 / max(alone["latency_ms"]["p95"], 0.1), 2)},
    }


async def _wait_for_server(cookie: str) -> None:
    """Return once the server takes a connection. Raises NetworkError when it does not in time."""
    deadline = time.monotonic() + _START_MAX_S
    while time.monotonic() < deadline:
        first = _Client()
        listening = asyncio.create_task(first.listen(cookie, asyncio.Semaphore(1)))
        with suppress(TimeoutError):
            async with asyncio.timeout(_TRY_S):
                await first.begun.wait()
        listening.cancel()
        await asyncio.gather(listening, return_exceptions=True)
        if first.begun.is_set():
            return
    raise NetworkError(
        f"the web server did not take a connection within {_START_MAX_S:.0f} s",
        remedy="Look at its log; on a busy machine try again later.",
    )


async def _measure(cookie: str, *, clients: int, seconds: int, storm: bool) -> dict[str, Any]:
    people = [_Client() for _ in range(clients)]
    gate = asyncio.Semaphore(_AT_ONCE)
    started = time.monotonic()
    tasks = [asyncio.create_task(person.listen(cookie, gate)) for person in people]
    await _all_begun(people)
    opened_s = time.monotonic() - started
    first = await asyncio.to_thread(_newest)
    report: dict[str, Any] = {"clients": clients, "seconds": seconds, "messages_per_s": PER_S}
    with _Source():
        await asyncio.sleep(seconds)
        report |= {"open_all_s": round(opened_s, 2), "latency_ms": _quantiles(people)}
        if storm:
            reconnected_s, tasks = await _storm(people, tasks, cookie, first)
            report["reconnect_all_s"] = reconnected_s
            await asyncio.sleep(min(_AFTER_STORM_S, seconds))
    expected = await asyncio.to_thread(_recorded_since, first)
    deadline = time.monotonic() + _DRAIN_S
    # What 200 clients have got is only seen by looking.
    while any(len(item.ids) < len(expected) for item in people) and time.monotonic() < deadline:  # noqa: ASYNC110
        await asyncio.sleep(0.1)
    for task in tasks:
        task.cancel()
    await asyncio.gather(*tasks, return_exceptions=True)
    return report | _completeness(people, expected)


async def _storm(
    people: list[_Client], tasks: list[asyncio.Task[None]], cookie: str, first: int
) -> tuple[float, list[asyncio.Task[None]]]:
    """Cut all connections at once and let all come back; return how long it took until each was told to go on."""
    for person in people:
        person.cut()
    await asyncio.gather(*tasks, return_exceptions=True)
    gate, started = asyncio.Semaphore(len(people)), time.monotonic()
    again = []
    for person in people:
        person.begun, person.is_cut = asyncio.Event(), False
        last = person.ids[-1] if person.ids else first
        again.append(asyncio.create_task(person.listen(cookie, gate, resume_after=last)))
    await _all_begun(people)
    return round(time.monotonic() - started, 2), again


async def _all_begun(people: list[_Client]) -> None:
    with suppress(TimeoutError):  # who did not come has errors, or lacks messages
        async with asyncio.timeout(60):
            await asyncio.gather(*(person.begun.wait() for person in people))


def _completeness(people: list[_Client], expected: list[int]) -> dict[str, Any]:
    wanted = set(expected)
    return {
        "messages": len(expected),
        "deliveries": sum(len(person.ids) for person in people),
        "missing": sum(len(wanted - set(person.ids)) for person in people),
        "duplicates": sum(len(person.ids) - len(set(person.ids)) for person in people),
        "clients_out_of_order": sum(person.ids != sorted(person.ids) for person in people),
        "errors": sum(len(person.errors) for person in people),
        "first_errors": sorted({text for person in people for text in person.errors})[:5],
    }


def _quantiles(people: list[_Client]) -> dict[str, float]:
    found = [value for person in people for value in person.latencies_us]
    if not found:
        return {}
    named = {f"p{percent}": quantile(found, percent) / 1_000 for percent in (50, 95, 99)}
    return {**named, "most": max(found) / 1_000}


def _newest() -> int:
    return (
        Event.objects.exclude(position=None).order_by("-position").values_list("position", flat=True).first()
        or 0
    )


def _recorded_since(position: int) -> list[int]:
    rows = Event.objects.filter(kind=_KIND.value, position__gt=position).order_by("position")
    return [found for found in rows.values_list("position", flat=True) if found is not None]


def _cookie() -> str:
    """Sign the admin of this throw-away installation in."""
    user = get_user_model().objects.filter(is_superuser=True).first()
    assert user is not None
    session = import_module(settings.SESSION_ENGINE).SessionStore()
    session[SESSION_KEY] = str(user.pk)
    session[BACKEND_SESSION_KEY] = _BACKEND
    session[HASH_SESSION_KEY] = user.get_session_auth_hash()
    session.save()
    return f"{settings.SESSION_COOKIE_NAME}={session.session_key}"
