"""The pages' socket: tells each page what changed, in the same markup the page is made of.

Events only say that something happened. What is sent was read again after it was committed, once for all connections
of this process that show the same. The first change goes at once; further ones are merged.
"""

from __future__ import annotations

import asyncio
import logging
import time
from typing import Any, Final
from urllib.parse import parse_qsl

from channels.db import database_sync_to_async
from channels.generic.websocket import AsyncWebsocketConsumer
from django.contrib.auth import get_user_model
from django.db import DatabaseError
from django.template.loader import render_to_string
from redis.exceptions import RedisError

from apps.dashboard.asks import Ask, ask_of
from apps.dashboard.logic.frames import Shown, frame, scattered
from apps.dashboard.panels import VIEWS, Panel, grants_of, panel_html, panels_of
from apps.dashboard.renderings import Renderings
from apps.dashboard.roles import LOOK_INCIDENTS
from apps.dashboard.selectors.incidents import incident_of
from apps.dashboard.selectors.orders import trace_of_order
from apps.dashboard.selectors.pairs import trace_of_pair
from apps.dashboard.templatetags.links import plain
from apps.domain.events import EventKind
from apps.state.services.relay import GROUP
from apps.state.services.sessions import session_user

logger = logging.getLogger(__name__)

#: Changes within this time are sent together, so a connection gets four frames a second at most.
FRAME_GAP_S: Final = 0.25
#: A calm panel is sent again after so long.
CALM_GAP_S: Final = 1.0
#: Panels that change without events are read again after so long.
TICK_S: Final = 2.0
#: And the permission of whoever looks.
PERMISSION_S: Final = 30.0
QUERY_LENGTH_MAX: Final = 2_000
RESTART_CODE: Final = 1012  # the browser comes back
LATER_CODE: Final = 1013  # and after this too
SIGNED_OUT_CODE: Final = 4403  # it does not


class LiveConsumer(AsyncWebsocketConsumer):
    """One open page."""

    ask: Ask
    grants: frozenset[str]

    async def __call__(self, scope: Any, receive: Any, send: Any) -> Any:
        """Serve the connection; without a broker the page is told to come back, and asks by itself meanwhile."""
        try:
            return await super().__call__(scope, receive, send)
        except (RedisError, OSError) as error:
            logger.warning("live page was turned away: no broker", extra={"error": type(error).__name__})
            await send({"type": "websocket.close", "code": LATER_CODE})

    async def connect(self) -> None:
        """Accept whoever may see the page that the address names."""
        self._task: asyncio.Task[None] | None = None
        query = self.scope["query_string"][:QUERY_LENGTH_MAX].decode("ascii", "ignore")
        self.ask = ask_of(dict(parse_qsl(query)))
        self.grants = await database_sync_to_async(grants_of)(self.scope["user"])
        if VIEWS.get(self.ask.view) not in self.grants:
            await self.close()
            return
        self._panels = {p.name: p for p in panels_of(self.ask.view) if p.permission in self.grants}
        self._shown: dict[str, Shown] = {}
        self._read_at: dict[str, float] = {}
        self._opened_at = time.monotonic()
        # All are due: something may have happened between the page and its socket.
        self._due = set(self._panels)
        self._toasts: list[int] = []
        self._traces = await database_sync_to_async(_traces_of)(self.ask)
        self._wake = asyncio.Event()
        await self.channel_layer.group_add(GROUP, self.channel_name)
        await self.accept()
        self._task = asyncio.create_task(self._run())

    async def disconnect(self, code: int) -> None:
        """Stop sending."""
        if self._task is not None:
            self._task.cancel()
            await self.channel_layer.group_discard(GROUP, self.channel_name)

    async def receive(self, text_data: str | None = None, bytes_data: bytes | None = None) -> None:
        """Pages have nothing to say here: whatever changes something is an HTTP request."""

    async def live_event(self, message: dict[str, Any]) -> None:
        """Note which panels an event may have changed."""
        renderings().see(message["position"])
        kind = message["kind"]
        if kind == EventKind.INCIDENT_OPENED.value and LOOK_INCIDENTS in self.grants:
            self._toasts = [int(message["subject"].partition(":")[2] or 0)]
        due = {
            name
            for name, panel in self._panels.items()
            if kind in panel.kinds and self._concerns(panel, message)
        }
        self._due |= due
        if due or self._toasts:
            self._wake.set()

    def _concerns(self, panel: Panel, message: dict[str, Any]) -> bool:
        """Tell whether an event is about what the page shows. Lists and the frame show everything."""
        if not self.ask.key or panel.is_scattered:
            return True
        return message["trace_id"] in self._traces or message["subject"] == f"{self.ask.view}:{self.ask.key}"

    async def _run(self) -> None:
        try:
            await self._push()
        except DatabaseError:
            logger.warning("live page was not served: the database does not answer", exc_info=True)
            await self.close(code=RESTART_CODE)

    async def _push(self) -> None:
        next_tick = next_check = time.monotonic()
        next_check += PERMISSION_S
        while True:
            if time.monotonic() >= next_tick:
                self._due |= {name for name, panel in self._panels.items() if self._ticks(panel)}
                next_tick = time.monotonic() + TICK_S
            if time.monotonic() >= next_check:
                if not await database_sync_to_async(_still_allowed)(self.scope, VIEWS[self.ask.view]):
                    await self.close(code=SIGNED_OUT_CODE)
                    return
                next_check = time.monotonic() + PERMISSION_S
            self._wake.clear()
            if await self._send_due() or self._due:
                await asyncio.sleep(FRAME_GAP_S)
            elif not self._toasts:
                await self._sleep_until(next_tick)

    async def _sleep_until(self, moment: float) -> None:
        try:
            async with asyncio.timeout(max(0.0, moment - time.monotonic())):
                await self._wake.wait()
        except TimeoutError:
            pass

    def _ticks(self, panel: Panel) -> bool:
        return panel.ticks and time.monotonic() - self._read_at.get(panel.name, 0.0) >= panel.rests_s

    def _rests(self, panel: Panel) -> bool:
        return panel.is_calm and time.monotonic() - self._read_at.get(panel.name, 0.0) < CALM_GAP_S

    async def _send_due(self) -> bool:
        due = {name for name in self._due if not self._rests(self._panels[name])}
        self._due -= due
        toasts, self._toasts = self._toasts, []
        parts = [await self._change(self._panels[name]) for name in sorted(due)]
        parts += [await database_sync_to_async(_toast)(number) for number in toasts]
        text = "".join(parts)
        if text:
            await self.send(text_data=text)
        return bool(text)

    async def _change(self, panel: Panel) -> str:
        self._read_at[panel.name] = time.monotonic()
        html = await renderings().html(panel, self.ask, self.grants, since=self._opened_at)
        change = scattered if panel.is_scattered else frame
        text, self._shown[panel.name] = change(self._shown.get(panel.name), html)
        return text


def renderings() -> Renderings:
    """Return the renderings that this process's connections share."""
    return Renderings.of_loop(asyncio.get_running_loop(), panel_html)


def _traces_of(ask: Ask) -> frozenset[str]:
    """Return the traces that a page about one thing shows."""
    if ask.view == "pair":
        return frozenset({trace_of_pair(ask.number)} - {""})
    if ask.view == "order":
        return frozenset({trace_of_order(ask.number)} - {""})
    return frozenset({ask.key} - {""})


def _still_allowed(scope: dict[str, Any], permission: str) -> bool:
    """Tell whether whoever opened the page is still signed in and may still see it."""
    session = scope.get("session")
    key = "" if session is None else session.session_key
    if key and session_user(key).pk != scope["user"].pk:  # signed out, run out, or another password
        return False
    user = get_user_model().objects.filter(pk=scope["user"].pk, is_active=True).first()
    return user is not None and user.has_perm(permission)


def _toast(incident_id: int) -> str:
    incident = incident_of(incident_id)
    if incident is None or incident.resolved_at is not None:
        return ""
    tone = "bad" if incident.severity == "critical" else "warn"
    context = {
        "tone": tone,
        "title": "Incident.",
        "text": plain(incident.title),
        "remedy": plain(incident.remedy),
    }
    return f'<div id="toasts" hx-swap-oob="beforeend">{render_to_string("_toast.html", context)}</div>'
