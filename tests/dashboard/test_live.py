"""The pages' socket: who may listen, what is sent, how often, and once for all."""

from __future__ import annotations

import asyncio
import re
from typing import Any

import pytest
from asgiref.sync import sync_to_async
from channels.layers import get_channel_layer
from channels.testing import WebsocketCommunicator
from django.contrib.auth.models import AnonymousUser
from django.test import Client

from apps.dashboard import live
from apps.dashboard import renderings as renderings_module
from apps.dashboard.live import LiveConsumer, renderings
from apps.domain.events import EventKind
from apps.state.permissions import LOOK
from apps.state.services.relay import GROUP
from apps.trading.models import Opportunity, Position
from dexsniper.asgi import application
from tests import factories as f
from tests.dashboard import market
from tests.dashboard.conftest import person, session_end

pytestmark = pytest.mark.django_db(transaction=True)


class Page:
    """An open page's socket."""

    def __init__(self, user: Any, query: str, **scope: Any) -> None:
        self.socket = WebsocketCommunicator(LiveConsumer.as_asgi(), f"/ws/live/?{query}")
        self.socket.scope.update(user=user, **scope)

    async def open(self) -> bool:
        connected, _ = await self.socket.connect(timeout=5)
        return connected

    async def frame(self) -> str:
        return await self.socket.receive_from(timeout=5)

    async def frames(self, seconds: float) -> list[str]:
        """Return everything that arrives within so many seconds."""
        loop = asyncio.get_running_loop()
        end, got = loop.time() + seconds, []
        while (left := end - loop.time()) > 0:
            if await self.socket.receive_nothing(timeout=left, interval=0.01):
                break
            got.append(await self.socket.receive_from())
        return got


_positions = iter(range(1, 100_000))


async def publish(kind: EventKind, *, subject: str = "", trace_id: str = "") -> None:
    """Say what the relay says."""
    message = {
        "type": "live.event",
        "kind": kind.value,
        "subject": subject,
        "trace_id": trace_id,
        "position": next(_positions),
        "summary": "",
    }
    await get_channel_layer().group_send(GROUP, message)


async def made(function: Any, *args: Any, **kwargs: Any) -> Any:
    return await sync_to_async(function)(*args, **kwargs)


@pytest.fixture
def quiet(monkeypatch) -> None:
    """Leave out what panels do by themselves, so that only events speak."""
    monkeypatch.setattr(live, "TICK_S", 3_600.0)


@pytest.fixture
def market_life(db) -> dict[str, Any]:
    return market.life()


# -- who may listen ---------------------------------------------------------------------------


async def test_socket_when_nobody_is_signed_in_then_refused(market_life):
    assert not await Page(AnonymousUser(), "view=overview").open()


async def test_socket_when_the_account_has_no_role_then_refused(market_life):
    assert not await Page(await made(person), "view=overview").open()


@pytest.mark.parametrize("query", ["", "view=", "view=nonsense", "view=%00", "x" * 5_000])
async def test_socket_when_the_view_is_unknown_then_refused(market_life, query):
    assert not await Page(await made(person, "viewer"), query).open()


@pytest.mark.parametrize("view", ["overview", "positions", "orders", "incidents", "configuration", "page"])
async def test_socket_when_a_viewer_opens_a_page_then_its_panels_come(market_life, view):
    page = Page(await made(person, "viewer"), f"view={view}")
    assert await page.open()
    text = await page.frame()
    assert 'id="status-line"' in text
    assert "<form" not in text
    await page.socket.disconnect()


async def test_socket_through_the_whole_stack_needs_session_and_origin(market_life):
    def session_cookie() -> str:
        client = Client()
        client.force_login(person("viewer"))
        return "; ".join(f"{name}={cookie.value}" for name, cookie in client.cookies.items())

    cookie = (await made(session_cookie)).encode()
    ours = [(b"cookie", cookie), (b"origin", b"http://localhost"), (b"host", b"localhost")]
    socket = WebsocketCommunicator(application, "/ws/live/?view=overview", headers=ours)
    assert (await socket.connect(timeout=5))[0]
    await socket.disconnect()
    for headers in (
        [(b"origin", b"http://localhost")],
        [(b"cookie", cookie), (b"origin", b"http://evil.example")],
    ):
        socket = WebsocketCommunicator(application, "/ws/live/?view=overview", headers=headers)
        assert not (await socket.connect(timeout=5))[0]


async def test_socket_when_the_role_is_taken_away_then_closed_for_good(market_life, monkeypatch, quiet):
    monkeypatch.setattr(live, "PERMISSION_S", 0.05)
    user = await made(person, "viewer")
    page = Page(user, "view=overview")
    assert await page.open()
    await page.frame()
    await made(user.user_permissions.clear)
    await publish(EventKind.DECISION_MADE)
    code = None
    for _ in range(20):
        message = await page.socket.receive_output(timeout=5)
        code = message.get("code")
        if message["type"] == "websocket.close":
            break
        await publish(EventKind.DECISION_MADE)
    assert code == live.SIGNED_OUT_CODE


@pytest.mark.parametrize("end", ["", "signed out", "ran out", "password changed"])
def test_page_when_its_session_ends_then_not_allowed_any_more(db, end: str):
    user = person("viewer")
    client = Client()
    client.force_login(user)
    scope = {"user": user, "session": client.session}
    if end:
        session_end(user, end)
    assert live._still_allowed(scope, LOOK) is not bool(end)


# -- what is sent ------------------------------------------------------------------------------


async def opened(query: str) -> Page:
    page = Page(await made(person, "viewer"), query)
    assert await page.open()
    await page.frame()
    return page


async def test_event_when_a_row_changed_then_only_that_row_comes(market_life, quiet):
    page = await opened("view=opportunities")
    first = await made(lambda: Opportunity.objects.exclude(status="entered").order_by("-id").first())
    await made(Opportunity.objects.filter(pk=first.pk).update, skip_explanation="Something new")
    await publish(EventKind.DECISION_MADE, subject=f"opportunity:{first.pk}")
    text = await page.frame()
    assert f'hx-swap-oob="true" id="opportunity-{first.pk}"' in text
    assert text.count("<tr") == 1
    assert "Something new" in text
    await page.socket.disconnect()


async def test_event_when_a_row_came_then_it_is_on_top(market_life, quiet):
    page = await opened("view=opportunities")
    new = await made(f.OpportunityFactory)
    await publish(EventKind.OPPORTUNITY_FOUND, subject=f"pair:{new.pair_id}")
    text = await page.frame()
    assert re.search(rf'id="opportunity-rows" hx-swap-oob="innerHTML"><tr id="opportunity-{new.pk}"', text)
    await page.socket.disconnect()


async def test_event_when_the_page_does_not_show_it_then_nothing_comes(market_life, quiet):
    page = await opened("view=configuration")
    await publish(EventKind.DECISION_MADE)
    assert await page.frames(0.4) == []
    await page.socket.disconnect()


async def test_event_about_another_pair_then_nothing_comes(market_life, quiet):
    page = await opened(f"view=pair&key={market_life['pair'].pk}")
    await made(f.PoolTradeFactory, pair=market_life["pair"])
    await publish(EventKind.TRADE_EXECUTED, trace_id="0" * 32, subject="position:999")
    assert all("pair-trades" not in text for text in await page.frames(0.4))
    await publish(EventKind.TRADE_EXECUTED, trace_id=market_life["trace_id"], subject="position:1")
    assert "trade-rows" in await page.frame()
    await page.socket.disconnect()


async def test_incident_when_opened_then_a_notice_with_the_remedy_comes(market_life, quiet):
    page = await opened("view=orders")
    incident = await made(f.IncidentFactory, title="<b>Rug</b>", remedy="Look at it.", severity="critical")
    await publish(EventKind.INCIDENT_OPENED, subject=f"incident:{incident.pk}")
    text = await page.frame()
    assert '<div id="toasts" hx-swap-oob="beforeend">' in text
    assert "&lt;b&gt;Rug&lt;/b&gt;" in text
    assert "Look at it." in text
    await page.socket.disconnect()


async def test_mark_when_it_changed_without_an_event_then_comes_by_itself(market_life, monkeypatch):
    monkeypatch.setattr(live, "TICK_S", 0.2)
    page = await opened("view=positions")
    held = market_life["position"]
    await made(Position.objects.filter(pk=held.pk).update, mark_value_raw=held.cost_raw * 2)
    text = "".join(await page.frames(1.0))
    assert f'hx-swap-oob="true" id="position-{held.pk}"' in text
    assert "+100.00%" in text
    await page.socket.disconnect()


# -- how often ----------------------------------------------------------------------------------


async def test_events_when_they_pour_then_first_at_once_and_four_frames_a_second(market_life, quiet):
    page = await opened("view=opportunities")
    await asyncio.sleep(0.3)
    newest = await made(lambda: Opportunity.objects.order_by("-id").first())
    loop = asyncio.get_running_loop()

    async def pour() -> None:
        for n in range(60):
            await made(Opportunity.objects.filter(pk=newest.pk).update, skip_explanation=f"Number {n}.")
            await publish(EventKind.DECISION_MADE)
            await asyncio.sleep(0.01)

    started = loop.time()
    pouring = asyncio.create_task(pour())
    texts = [await page.frame()]
    first_after = loop.time() - started
    while not pouring.done():
        texts += await page.frames(0.1)
    texts += await page.frames(2 * live.FRAME_GAP_S)
    took = loop.time() - started
    assert first_after < 0.25
    assert len(texts) <= took / live.FRAME_GAP_S + 1
    assert "Number 59." in texts[-1], "the last state arrives"
    await page.socket.disconnect()


async def test_many_pages_when_one_thing_changed_then_rendered_once(market_life, quiet):
    user = await made(person, "viewer")
    pages = [Page(user, "view=orders") for _ in range(10)]
    for page in pages:
        assert await page.open()
    for page in pages:
        await page.frame()
    await asyncio.sleep(0.3)
    before = renderings().rendered
    await made(f.OrderFactory)
    await publish(EventKind.ORDER_CHANGED)
    texts = {await page.frame() for page in pages}
    assert len(texts) == 1
    assert renderings().rendered - before <= 4, "frame, tabs and rows, each once"
    for page in pages:
        await page.socket.disconnect()


async def test_page_when_it_says_something_then_ignored(market_life, quiet):
    page = await opened("view=overview")
    await page.socket.send_to(text_data='{"type": "live.event", "kind": "engine_status"}')
    await page.socket.send_to(bytes_data=b"\xff" * 10_000)
    assert await page.frames(0.3) == []
    await page.socket.disconnect()


async def test_page_when_it_opens_then_not_sent_what_another_was_shown_before(
    market_life, quiet, monkeypatch
):
    monkeypatch.setattr(renderings_module, "AGE_MAX_S", 60.0)
    user = await made(person, "viewer")
    first = Page(user, "view=opportunities")
    assert await first.open()
    await first.frame()
    await made(
        market.position, await made(market.pair, symbol="LATER")
    )  # committed, its event still on its way
    second = Page(user, "view=opportunities")
    assert await second.open()
    assert "LATER" in await second.frame()
    for page in (first, second):
        await page.socket.disconnect()
