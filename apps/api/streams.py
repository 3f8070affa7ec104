"""One reader of the event log for all JSON sockets of a process; each client is a place in the log.

The reader renders each line once into a bounded window. A client holds no queue: it remembers up to where it was sent,
so a thousand clients cost what one window costs. The server under us buffers without limit what a client does not read,
so at most ``HELD_BYTES_MAX`` are sent without an answer to a heartbeat.
"""

from __future__ import annotations

import asyncio
import logging
import time
from collections.abc import Awaitable, Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import Any, Final, Literal, TypeVar
from weakref import WeakKeyDictionary

from channels.db import database_sync_to_async
from channels.layers import get_channel_layer
from django.conf import settings
from django.db import DatabaseError, connections
from django.utils import timezone
from redis.exceptions import RedisError

from apps.api import streams_counts as counts
from apps.api import streams_log as log
from apps.api.messages import (
    FLOW,
    STREAMS,
    FlowMetrics,
    Gap,
    Heartbeat,
    Hello,
    Payload,
    Pong,
    Problem,
    Resumed,
    Resync,
    StageFlow,
    Subscribed,
    message_json,
)
from apps.api.streams_window import Page, Window
from apps.engine.metrics.flow import flow_figures
from apps.state.services.relay import GROUP

logger = logging.getLogger(__name__)
_T = TypeVar("_T")

Stream = Literal["autotrade", "intelligence"]
Send = Callable[[str], Awaitable[None]]
Close = Callable[[int], Awaitable[None]]

#: What the window holds, and how much of it a process that starts reads beforehand.
WINDOW_MESSAGES_MAX: Final = 5_000
WINDOW_BYTES_MAX: Final = 8 * 1024 * 1024
WINDOW_FIRST: Final = 1_000
#: Lines read at once; messages sent to one client before others have their turn.
PAGE: Final = 500
TURN: Final = 10
#: The log is asked when the relay says so, no more often than this, and by itself where nobody says anything.
READ_GAP_S: Final = 0.02
POLL_S: Final = 1.0
LISTEN_AGAIN_S: Final = 5.0
#: One resume brings at most so many lines of the log; of what is older, a client is told that it is missing.
RESUME_SPAN_MAX: Final = 50_000
#: Resumes that read the database at once; others wait.
CATCHING_UP_MAX: Final = 2
CLIENTS_MAX: Final = 1_000
HEARTBEAT_S: Final = 10.0
HELD_BYTES_MAX: Final = 256 * 1024
#: A client that has been sent all it may be and does not answer for so long is closed.
ANSWER_MAX_S: Final = 30.0
#: A client that wants older messages says so at once; so long nothing newer is sent before them.
BEGIN_AFTER_S: Final = 1.0
PERMISSION_S: Final = 30.0
OLDEST_S: Final = 60.0
FLOW_S: Final = 5.0

RESTART_CODE: Final = 1012
LATER_CODE: Final = 1013
SHUT_OUT_CODE: Final = 4403
SLOW_CODE: Final = 4408


@dataclass(frozen=True, slots=True)
class _Asked:
    """A heartbeat that waits for its answer."""

    last_id: int
    sent_bytes: int
    at: float


class Hub:
    """What the sockets of one event loop share. It reads while there is a client."""

    _by_loop: WeakKeyDictionary[asyncio.AbstractEventLoop, Hub] = WeakKeyDictionary()

    def __init__(self) -> None:
        self.clients: set[Client] = set()
        self.window = Window(at=0, messages_max=WINDOW_MESSAGES_MAX, bytes_max=WINDOW_BYTES_MAX)
        self.oldest = 0
        self.flow_text, self.flow_number = "", 0
        self.queries = 0
        self._wake = asyncio.Event()
        self._lock = asyncio.Lock()
        self._catching_up = asyncio.Semaphore(CATCHING_UP_MAX)
        self._tasks: list[asyncio.Task[None]] = []
        # A thread of its own: pages that are rendered do not hold up the log.
        self._reader = ThreadPoolExecutor(1, thread_name_prefix="log-reader")

    @classmethod
    def of_loop(cls, loop: asyncio.AbstractEventLoop) -> Hub:
        """Return the hub of this loop."""
        found = cls._by_loop.get(loop)
        if found is None:
            found = cls._by_loop[loop] = cls()
        return found

    async def join(self, client: Client) -> None:
        """Take a client in; with the first one reading begins. Raises DatabaseError."""
        async with self._lock:
            if not self._tasks:
                await self._begin()
            self.clients.add(client)
            counts.CLIENTS.labels(client.stream).inc()

    async def leave(self, client: Client) -> None:
        """Let a client go; with the last one reading ends."""
        async with self._lock:
            if client not in self.clients:
                return
            self.clients.remove(client)
            counts.CLIENTS.labels(client.stream).dec()
            if not self.clients:
                await self._end()

    async def ask(self, function: Callable[..., _T], *args: Any, **kwargs: Any) -> _T:
        """Return what a function says that reads the database."""
        self.queries += 1
        call = database_sync_to_async(function, thread_sensitive=False, executor=self._reader)
        result: _T = await call(*args, **kwargs)
        return result

    async def older(self, *, after: int, until: int) -> Page:
        """Return a page of what has fallen out of the window."""
        async with self._catching_up:
            return await self.ask(log.log_page, after=after, until=until, limit=PAGE)

    # -- reading --------------------------------------------------------------------------
    async def _begin(self) -> None:
        head = await self.ask(log.head_position)
        self.oldest = await self.ask(log.oldest_position)
        base = await self.ask(log.newest_position_before, messages=WINDOW_FIRST, until=head)
        self.window = Window(at=base, messages_max=WINDOW_MESSAGES_MAX, bytes_max=WINDOW_BYTES_MAX)
        await self._read_up_to(head)
        self._tasks = [asyncio.create_task(self._run()), asyncio.create_task(self._listen())]

    async def _end(self) -> None:
        tasks, self._tasks = self._tasks, []
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
        await asyncio.get_running_loop().run_in_executor(self._reader, connections.close_all)

    async def _run(self) -> None:
        now = time.monotonic()
        next_check, next_oldest, next_flow = now + PERMISSION_S, now + OLDEST_S, now + FLOW_S
        while True:
            try:
                await self._read_new()
                counts.reader_was_well(well=True)
                now = time.monotonic()
                if now >= next_flow:
                    next_flow = now + FLOW_S  # first: that it fails must not keep the rest from its turn
                    await self._read_flow()
                if now >= next_check:
                    await self._shut_out()
                    next_check = now + PERMISSION_S
                if now >= next_oldest:
                    self.oldest = await self.ask(log.oldest_position)
                    next_oldest = now + OLDEST_S
            except DatabaseError:
                counts.reader_was_well(well=False)
                logger.warning("the event log could not be read; sockets wait", exc_info=True)
                await asyncio.sleep(POLL_S)
            except Exception:  # a bug of ours; a reader that ends would leave every socket open and silent
                counts.reader_was_well(well=False)
                logger.exception("the reader of the event log failed; it goes on")
                await asyncio.sleep(POLL_S)
            await asyncio.sleep(READ_GAP_S)  # what comes at once is read at once
            await _until(self._wake, POLL_S)
            self._wake.clear()

    async def _read_new(self) -> None:
        head = await self.ask(log.head_position)
        if head < self.window.last:  # another database was put in the place of ours
            logger.warning("the event log is shorter than before; sockets begin anew")
            for client in tuple(self.clients):
                await client.close(RESTART_CODE)
            self.window = Window(at=head, messages_max=WINDOW_MESSAGES_MAX, bytes_max=WINDOW_BYTES_MAX)
            return
        await self._read_up_to(head)

    async def _read_up_to(self, head: int) -> None:
        while self.window.last < head:
            page = await self.ask(log.log_page, after=self.window.last, until=head, limit=PAGE)
            self.window.extend(page.entries, reached=page.reached)
            self._wake_clients()

    async def _read_flow(self) -> None:
        if not any(client.wants(FLOW) for client in self.clients):
            return
        figures = await self.ask(flow_figures, now=timezone.now())
        payload = FlowMetrics(
            window_s=figures.window_s,
            stages=[
                StageFlow(
                    stage=item.name,
                    count=item.count,
                    latency_ms_p50=item.latency_ms_p50,
                    latency_ms_p95=item.latency_ms_p95,
                )
                for item in figures.stages
            ],
            waiting=figures.waiting,
            orders_in_flight=figures.orders_in_flight,
        )
        self.flow_text, self.flow_number = _told(payload), self.flow_number + 1
        self._wake_clients()

    async def _shut_out(self) -> None:
        gone = await self.ask(log.shut_out, [client.listener for client in self.clients])
        for client in tuple(self.clients):
            if client.listener in gone:
                await client.close(SHUT_OUT_CODE)

    def _wake_clients(self) -> None:
        for client in self.clients:
            client.wake.set()

    async def _listen(self) -> None:
        """Be told by the relay; without a broker the log is read every now and then."""
        layer = get_channel_layer()
        while layer is not None:
            try:
                name = await layer.new_channel()
                await layer.group_add(GROUP, name)
                try:
                    while True:
                        message = await layer.receive(name)
                        if message.get("position", 0) > self.window.last:
                            self._wake.set()
                finally:
                    await layer.group_discard(GROUP, name)
            except (RedisError, OSError, TimeoutError) as error:
                logger.warning("sockets are not told of news", extra={"error": type(error).__name__})
                await asyncio.sleep(LISTEN_AGAIN_S)


class Client:
    """One connection: a place in the log, and what it wants of it."""

    def __init__(self, *, stream: Stream, listener: log.Listener, send: Send, close: Close, hub: Hub) -> None:
        self.stream, self.listener = stream, listener
        self.types = set(STREAMS[stream])
        self.wake = asyncio.Event()
        self._send_text, self._close, self._hub = send, close, hub
        self._count = counts.SENT.labels(stream)
        self._lock = asyncio.Lock()
        self._cursor = self._first = 0
        self._skip: tuple[int, int] | None = None  # was sent before an older part was asked for
        self._catch_up_until = 0
        self._is_paused = self._is_closed = False
        self._begins_at = self._beats_at = 0.0
        self._flow_number = 0
        self._sent_bytes = self._answered_bytes = 0
        self._asked: _Asked | None = None

    # -- what it says ---------------------------------------------------------------------
    async def begin(self) -> None:
        """Greet the client, which has joined the hub."""
        async with self._lock:
            now = time.monotonic()
            self._cursor = self._first = self._hub.window.last
            self._begins_at, self._beats_at = now + BEGIN_AFTER_S, now + HEARTBEAT_S
            self._flow_number = self._hub.flow_number
            await self._tell(
                Hello(
                    stream=self.stream,
                    user_id=self.listener.user_id,
                    last_id=self._cursor,
                    oldest_id=self._hub.oldest,
                    types=self._types(),
                    heartbeat_s=HEARTBEAT_S,
                    held_bytes_max=HELD_BYTES_MAX,
                )
            )

    async def ping(self) -> None:
        """Answer a ping."""
        async with self._lock:
            await self._tell(Pong(last_id=self._cursor))

    def answer(self, last_id: int) -> None:
        """Note that the client has worked on everything up to here."""
        if self._asked is not None and last_id >= self._asked.last_id:
            self._answered_bytes = self._asked.sent_bytes
            self._asked = None
            self.wake.set()

    async def want(self, *, types: list[str], is_more: bool) -> None:
        """Add types or leave them out; an unknown one changes nothing."""
        every = STREAMS[self.stream]
        chosen = set(types or every)
        async with self._lock:
            unknown = sorted(chosen - set(every))
            if unknown:
                detail = f"{unknown[0][:40]!r} does not travel on {self.stream}."
                await self.complain("UNKNOWN_TYPE", detail, f"Choose among {', '.join(every)}.")
                return
            self.types = self.types | chosen if is_more else self.types - chosen
            self._begins_at = 0.0
            await self._tell(Subscribed(types=self._types()))
        self.wake.set()

    async def resume(self, last_id: int) -> None:
        """Go on after an id; what was sent already on this connection is not sent again unless it is asked for."""
        async with self._lock:
            window, oldest = self._hub.window, self._hub.oldest
            begin = last_id
            if last_id > window.last:
                begin = window.last
                await self._tell(Gap(from_id=last_id, to_id=begin, oldest_id=oldest, reason="ahead"))
            elif last_id < oldest:
                begin = oldest
                await self._tell(Gap(from_id=last_id, to_id=begin, oldest_id=oldest, reason="not_kept"))
            if window.last - begin > RESUME_SPAN_MAX:
                after, begin = begin, window.last - RESUME_SPAN_MAX
                await self._tell(Gap(from_id=after, to_id=begin, oldest_id=oldest, reason="too_many"))
            await self._tell(Resumed(last_id=begin))
            is_older = begin < self._first < self._cursor and self._skip is None and not self._is_paused
            self._skip = (self._first, self._cursor) if is_older else None
            self._first = min(self._first, begin)
            self._cursor, self._catch_up_until = begin, window.last
            self._is_paused, self._begins_at = False, 0.0
        self.wake.set()

    async def complain(self, code: str, detail: str, remedy: str) -> None:
        """Tell what is wrong with something the client said."""
        await self._tell(Problem(code=code, detail=detail, remedy=remedy))

    def wants(self, name: str) -> bool:
        """Tell whether a type of message is to be sent."""
        return name in self.types

    async def close(self, code: int) -> None:
        """End the connection."""
        self._is_closed = True
        self.wake.set()
        await self._close(code)

    # -- what it is sent ------------------------------------------------------------------
    async def run(self) -> None:
        """Send until cancelled or closed. Raises DatabaseError when older messages cannot be read."""
        while not self._is_closed:
            self.wake.clear()
            async with self._lock:
                has_more = await self._turn(time.monotonic())
            if has_more:
                await asyncio.sleep(0)  # the others' turn
            else:
                await _until(self.wake, self._rest_s(time.monotonic()))

    def _rest_s(self, now: float) -> float:
        due = self._beats_at
        if self._begins_at > now:
            due = min(due, self._begins_at)
        if self._is_held and self._asked is not None:
            due = min(due, self._asked.at + ANSWER_MAX_S)
        return max(due - now, 0.01)

    @property
    def _is_held(self) -> bool:
        return self._sent_bytes - self._answered_bytes >= HELD_BYTES_MAX

    async def _turn(self, now: float) -> bool:
        """Send what may be sent now; tell whether there is more at once."""
        is_half = self._sent_bytes - self._answered_bytes >= HELD_BYTES_MAX // 2
        if now >= self._beats_at or (is_half and self._asked is None):
            await self._beat(now)
        if self._is_held:
            if self._asked is not None and now >= self._asked.at + ANSWER_MAX_S:
                counts.CLOSED_SLOW.inc()
                await self._tell(Resync(last_id=self._cursor))
                await self.close(SLOW_CODE)
            return False
        if self._is_paused or now < self._begins_at:
            return False
        await self._send_flow()
        return await self._send_page()

    async def _beat(self, now: float) -> None:
        await self._tell(Heartbeat(last_id=self._cursor))
        self._beats_at = now + HEARTBEAT_S
        if self._asked is None:
            self._asked = _Asked(self._cursor, self._sent_bytes, now)

    async def _send_flow(self) -> None:
        if FLOW in self.types and self._flow_number != self._hub.flow_number:
            self._flow_number = self._hub.flow_number
            await self._send(self._hub.flow_text)

    async def _send_page(self) -> bool:
        until = None if self._skip is None else self._skip[0]
        page = self._hub.window.after(self._cursor, limit=TURN, until=until)
        if page is None:
            if self._cursor >= self._catch_up_until:
                counts.RESYNCS.inc()
                self._is_paused = True
                await self._tell(Resync(last_id=self._cursor))
                return False
            page = await self._hub.older(
                after=self._cursor, until=self._catch_up_until if until is None else until
            )
        for entry in page.entries:
            if entry.type in self.types:
                await self._send(entry.text)
            self._cursor = entry.position
            if self._is_held:
                return True
        self._cursor = page.reached
        if self._skip is not None and self._cursor >= self._skip[0]:
            self._cursor, self._skip = self._skip[1], None
        return self._cursor < self._hub.window.last

    async def _tell(self, payload: Payload) -> None:
        await self._send(_told(payload))

    async def _send(self, text: str) -> None:
        self._sent_bytes += len(text)
        self._count.inc()
        await self._send_text(text)

    def _types(self) -> list[str]:
        return [name for name in STREAMS[self.stream] if name in self.types]


def _told(payload: Payload) -> str:
    return message_json(payload, mode=settings.ENV.mode, at=timezone.now())


async def _until(event: asyncio.Event, seconds: float) -> None:
    try:
        async with asyncio.timeout(seconds):
            await event.wait()
    except TimeoutError:
        pass
