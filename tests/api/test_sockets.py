"""The JSON sockets: who may listen, what arrives, resuming, and what becomes of slow or rude clients."""

from __future__ import annotations

import asyncio
import json
from hashlib import sha256
from typing import Any

import pytest
from asgiref.sync import sync_to_async
from channels.testing import WebsocketCommunicator
from django.contrib.auth.models import AnonymousUser, Permission
from django.db import OperationalError, connection
from django.test import Client as Browser
from jsonschema_rs import Draft202012Validator

from apps.api import sockets, streams, streams_door
from apps.api import streams_counts as counts
from apps.api import streams_log as log
from apps.api.messages import FLOW, schema_of
from apps.api.models import ApiToken
from apps.api.services.tokens import token_create, token_revoke
from apps.api.streams import Hub
from apps.api.streams_door import Credential, Door
from apps.domain.events import EventKind
from apps.state.models import Event
from apps.state.services.events import event_record
from apps.state.services.relay import relay_once
from dexsniper.asgi import application
from tests.dashboard.conftest import person, session_end
from tests.factories import ApiTokenFactory, UserFactory

pytestmark = pytest.mark.django_db(transaction=True)
_ORIGIN = (b"origin", b"http://localhost")


@pytest.fixture(autouse=True)
def swift(monkeypatch) -> None:
    """Wait for nothing that is no matter of the test."""
    monkeypatch.setattr(streams, "BEGIN_AFTER_S", 0.0)
    monkeypatch.setattr(streams, "POLL_S", 0.05)
    monkeypatch.setattr(streams, "FLOW_S", 3_600.0)


def _listener(**fields: Any) -> Any:
    user = UserFactory(**fields)
    user.user_permissions.add(Permission.objects.get(codename="view_event"))
    return user


def _record(count: int, kind: EventKind = EventKind.OPPORTUNITY_FOUND, **fields: Any) -> list[int]:
    """Record so many lines, number them, and return their positions; signing in has made others before."""
    relay_once()
    for number in range(count):
        event_record(kind=kind, summary=f"{kind.value} {number}", subject="pair:7", **fields)
    relay_once()
    newest = Event.objects.filter(kind=kind.value).order_by("-position")[:count]
    return sorted(event.position or 0 for event in newest)


async def made(function: Any, *args: Any, **kwargs: Any) -> Any:
    return await sync_to_async(function)(*args, **kwargs)


def _cookie_of(user: Any) -> bytes:
    """Sign a user in and return the browser's cookie."""
    browser = Browser()
    if not isinstance(user, AnonymousUser):
        browser.force_login(user)
    return "; ".join(f"{name}={item.value}" for name, item in browser.cookies.items()).encode()


class Socket:
    """A client that is signed in."""

    def __init__(self, user: Any, path: str = "/ws/autotrade") -> None:
        self.user = user
        self._path = path
        self.seen: list[dict[str, Any]] = []

    async def __aenter__(self) -> Socket:
        assert await self.open()
        self.hello = await self.next()
        assert self.hello["type"] == "hello"
        return self

    async def __aexit__(self, *_: object) -> None:
        await self.socket.disconnect()

    async def open(self, cookie: bytes | None = None) -> bool:
        cookie = await made(_cookie_of, self.user) if cookie is None else cookie
        headers = [(b"cookie", cookie), (b"host", b"localhost"), _ORIGIN]
        self.socket = WebsocketCommunicator(application, self._path, headers=headers)
        return (await self.socket.connect(timeout=5))[0]

    async def say(self, **message: Any) -> None:
        await self.socket.send_to(text_data=json.dumps(message))

    async def next(self) -> dict[str, Any]:
        """Return the next message, which fits its published schema."""
        message: dict[str, Any] = json.loads(await self.socket.receive_from(timeout=5))
        schema = schema_of(message["type"])
        assert schema is not None
        Draft202012Validator(schema).validate(message)
        self.seen.append(message)
        return message

    async def ids(self, count: int) -> list[int]:
        """Return the ids of the next so many lines of the log."""
        found: list[int] = []
        while len(found) < count:
            message = await self.next()
            if message["id"] is not None:
                found.append(message["id"])
        return found

    async def code(self) -> int:
        """Return the code by which the server ends the connection."""
        while (message := await self.socket.receive_output(timeout=5))["type"] != "websocket.close":
            pass
        return message["code"]

    async def is_quiet(self) -> bool:
        return await self.socket.receive_nothing(timeout=0.2, interval=0.01)


# -- who may listen ---------------------------------------------------------------------------
async def test_socket_when_nobody_is_signed_in_then_refused_before_accept():
    assert not await Socket(AnonymousUser()).open()
    assert not await Socket(AnonymousUser(), "/ws/intelligence/1").open()


async def test_socket_when_the_user_may_not_read_the_log_then_refused():
    assert not await Socket(await made(UserFactory)).open()


async def test_socket_when_of_another_user_then_refused():
    user, other = await made(_listener), await made(_listener)
    assert not await Socket(user, f"/ws/intelligence/{other.pk}").open()
    async with Socket(user, f"/ws/intelligence/{user.pk}") as own:
        assert own.hello["payload"]["user_id"] == user.pk


async def test_socket_when_the_origin_is_foreign_then_refused():
    user = await made(_listener)
    socket = Socket(user)
    assert await socket.open()
    headers = [(name, value) for name, value in socket.socket.scope["headers"] if name != b"origin"]
    await socket.socket.disconnect()
    for origin in ([(b"origin", b"http://evil.example")], []):
        foreign = WebsocketCommunicator(application, "/ws/autotrade", headers=[*headers, *origin])
        assert not (await foreign.connect(timeout=5))[0]


async def test_socket_when_the_permission_goes_then_closed(monkeypatch):
    monkeypatch.setattr(streams, "PERMISSION_S", 0.05)
    user = await made(_listener)
    async with Socket(user) as socket:
        await made(user.user_permissions.clear)
        assert await socket.code() == streams.SHUT_OUT_CODE


@pytest.mark.parametrize("end", ["signed out", "ran out", "password changed"])
async def test_socket_when_its_session_ends_then_closed(monkeypatch, end: str):
    monkeypatch.setattr(streams, "PERMISSION_S", 0.05)
    user = await made(_listener)
    async with Socket(user) as socket:
        await made(session_end, user, end)
        assert await socket.code() == streams.SHUT_OUT_CODE


async def test_token_when_it_reads_then_listens_until_it_is_revoked(monkeypatch):
    monkeypatch.setattr(streams, "PERMISSION_S", 0.05)
    user = await made(_listener)
    headers = [(b"host", b"localhost"), _ORIGIN]

    def tokens() -> tuple[ApiToken, list[str]]:
        rows = [
            ApiTokenFactory(user=owner, prefix=f"{n:08x}", scopes=scopes)
            for n, (owner, scopes) in enumerate(
                [(user, ["read"]), (user, ["trade"]), (UserFactory(), ["read"])]
            )
        ]
        texts = [f"dxs_{row.prefix}_secret" for row in rows]
        for row, text in zip(rows, texts, strict=True):
            ApiToken.objects.filter(pk=row.pk).update(digest=sha256(text.encode()).hexdigest())
        return rows[0], texts

    row, texts = await made(tokens)
    for text in (*texts[1:], "dxs_00000000_wrong", "", "x" * 5_000):
        bearer = (b"authorization", f"Bearer {text}".encode())
        refused = WebsocketCommunicator(application, "/ws/autotrade", headers=[*headers, bearer])
        assert not (await refused.connect(timeout=5))[0], text[:40]
    bearer = (b"authorization", f"Bearer {texts[0]}".encode())
    socket = Socket(user)
    socket.socket = WebsocketCommunicator(application, "/ws/autotrade", headers=[*headers, bearer])
    assert (await socket.socket.connect(timeout=5))[0]
    assert (await socket.next())["payload"]["user_id"] == user.pk
    await made(token_revoke, token_id=row.pk, by="test")
    assert await socket.code() == streams.SHUT_OUT_CODE
    await socket.socket.disconnect()


def test_tokens_when_their_use_cannot_be_written_down_then_all_are_let_in():
    def busy(execute: Any, sql: str, *rest: Any) -> Any:
        if sql.startswith("UPDATE"):
            raise OperationalError("database is locked")
        return execute(sql, *rest)

    made_now = [token_create(user=person("viewer"), name="a", scopes=["read"], by="test") for _ in range(2)]
    asked = tuple(Credential(text, is_token=True) for _, text in made_now)
    with connection.execute_wrapper(busy):
        found = streams_door._listeners(asked)
    assert [item and item.token_id for item in found.values()] == [row.pk for row, _ in made_now]
    assert not ApiToken.objects.exclude(last_used_at=None).exists()


# -- what arrives -----------------------------------------------------------------------------
async def test_socket_when_events_come_then_each_in_order_and_no_other_kind():
    async with Socket(await made(_listener)) as socket:
        found = await made(_record, 3)
        await made(_record, 2, EventKind.DECISION_MADE)
        found += await made(_record, 1, EventKind.TRADE_EXECUTED, payload={"side": "buy", "base_raw": "5"})
        assert await socket.ids(4) == found
        assert socket.seen[-1]["payload"]["base_raw"] == "5"
        assert socket.seen[-1]["mode"] == "sandbox"


async def test_intelligence_when_a_trade_is_made_then_not_told():
    user = await made(_listener)
    async with Socket(user, f"/ws/intelligence/{user.pk}") as socket:
        await made(_record, 1, EventKind.TRADE_EXECUTED)
        assert await made(_record, 1, EventKind.WHALE_ACTIVITY_ALERT) == await socket.ids(1)


async def test_subscription_when_changed_then_only_those_types_come():
    async with Socket(await made(_listener)) as socket:
        await socket.say(type="unsubscribe")
        assert (await socket.next())["payload"]["types"] == []
        await socket.say(type="subscribe", types=["risk_alert"])
        assert (await socket.next())["payload"]["types"] == ["risk_alert"]
        await made(_record, 2)
        assert await made(_record, 1, EventKind.RISK_ALERT) == await socket.ids(1)


async def test_flow_when_subscribed_then_counts_come_from_the_database(monkeypatch):
    monkeypatch.setattr(streams, "FLOW_S", 0.05)
    async with Socket(await made(_listener)) as socket:
        message = await socket.next()
        assert message["type"] == FLOW
        assert {item["stage"]: item["count"] for item in message["payload"]["stages"]}["found"] == 0


async def test_many_clients_when_events_come_then_the_log_is_read_once():
    user = await made(_listener)
    clients = [Socket(user) for _ in range(8)]
    for client in clients:
        await client.__aenter__()
    hub = Hub.of_loop(asyncio.get_running_loop())
    await asyncio.sleep(0.1)
    before, started = hub.queries, asyncio.get_running_loop().time()
    found = await made(_record, 20)
    assert [await client.ids(20) for client in clients] == [found] * 8
    turns = (asyncio.get_running_loop().time() - started) / streams.POLL_S + 1
    assert hub.queries - before <= 2 * turns + 22, "no client asks by itself"
    for client in clients:
        await client.__aexit__()


async def test_reader_when_it_fails_by_a_bug_then_told_and_goes_on(monkeypatch):
    async with Socket(await made(_listener)) as socket:
        with monkeypatch.context() as broken:
            broken.setattr(log, "head_position", lambda: 1 // 0)
            for _ in range(100):
                await asyncio.sleep(0.05)
                if counts.reader_failing_s():
                    break
            assert counts.reader_failing_s() > 0
        assert await made(_record, 2) == await socket.ids(2)
        assert counts.reader_failing_s() == 0


async def test_crowd_when_it_comes_at_once_then_its_sessions_are_looked_up_together():
    users = [await made(_listener) for _ in range(3)]
    crowd = [Socket(users[number % 3]) for number in range(12)]
    door = Door.of_loop(asyncio.get_running_loop())
    cookies = {user.pk: await made(_cookie_of, user) for user in users}
    assert await asyncio.gather(*(client.open(cookies[client.user.pk]) for client in crowd)) == [True] * 12
    assert door.lookups <= 4
    for client in crowd:
        await client.socket.disconnect()


# -- resuming ---------------------------------------------------------------------------------
async def test_resume_when_some_was_missed_then_all_of_it_once(monkeypatch):
    monkeypatch.setattr(streams, "WINDOW_FIRST", 5)  # the rest is read from the database
    monkeypatch.setattr(streams, "PAGE", 7)
    missed = await made(_record, 30)
    async with Socket(await made(_listener)) as socket:
        assert socket.hello["payload"]["last_id"] >= missed[-1]
        assert await made(_record, 5) == await socket.ids(5)
        await socket.say(type="resume", last_id=missed[9])
        assert await socket.ids(20) == missed[10:], "what was sent already is left out"
        assert await made(_record, 2) == await socket.ids(2)


async def test_resume_when_older_than_what_is_kept_then_gap_and_the_rest():
    user = await made(_listener)
    found = await made(_record, 6)
    await made(lambda: Event.objects.filter(position__lte=found[2]).delete())
    async with Socket(user) as socket:
        await socket.say(type="resume", last_id=found[0])
        gap = await socket.next()
        assert (gap["type"], gap["payload"]["from_id"], gap["payload"]["to_id"]) == (
            "gap",
            found[0],
            found[2],
        )
        assert gap["payload"]["reason"] == "not_kept"
        assert await socket.ids(3) == found[3:]


async def test_resume_when_ahead_or_too_far_back_then_gap(monkeypatch):
    monkeypatch.setattr(streams, "RESUME_SPAN_MAX", 4)
    async with Socket(await made(_listener)) as socket:
        found = await made(_record, 6)
        assert await socket.ids(6) == found
        await socket.say(type="resume", last_id=10**9)
        assert (await socket.next())["payload"]["reason"] == "ahead"
        await socket.next()
        await socket.say(type="resume", last_id=0)
        gap = await socket.next()
        assert (gap["payload"]["reason"], gap["payload"]["to_id"]) == ("too_many", found[1])
        assert await socket.ids(4) == found[2:]


# -- the slow and the rude --------------------------------------------------------------------
async def test_heartbeat_when_answered_then_the_flow_goes_on(monkeypatch):
    monkeypatch.setattr(streams, "HELD_BYTES_MAX", 4_000)
    async with Socket(await made(_listener)) as socket:
        all_of_it = await made(_record, 40)
        found: list[int] = []
        while len(found) < 40:
            message = await socket.next()
            if message["type"] == "heartbeat":
                await socket.say(type="pong", last_id=message["payload"]["last_id"])
            elif message["id"] is not None:
                found.append(message["id"])
        assert found == all_of_it


async def test_client_when_it_never_answers_then_held_and_closed(monkeypatch):
    monkeypatch.setattr(streams, "HELD_BYTES_MAX", 4_000)
    monkeypatch.setattr(streams, "ANSWER_MAX_S", 0.3)
    async with Socket(await made(_listener)) as socket:
        await made(_record, 100)
        sent, last = 0, {}
        while (output := await socket.socket.receive_output(timeout=5))["type"] == "websocket.send":
            sent, last = sent + len(output["text"]), json.loads(output["text"])
        assert output["code"] == streams.SLOW_CODE
        assert last["type"] == "resync"
        assert sent < 4_000 + 1_500


async def test_client_when_it_falls_out_of_the_window_then_resync_and_resume_brings_all(monkeypatch):
    monkeypatch.setattr(streams, "WINDOW_MESSAGES_MAX", 10)
    monkeypatch.setattr(streams, "HELD_BYTES_MAX", 3_000)
    async with Socket(await made(_listener)) as socket:
        all_of_it: list[int] = []
        for _ in range(6):
            all_of_it += await made(_record, 8)
            await asyncio.sleep(0.1)  # the window has room for these
        while not await socket.is_quiet():
            await socket.next()
        beat = next(item for item in socket.seen if item["type"] == "heartbeat")
        assert len(socket.seen) < 15, "held"
        await socket.say(type="pong", last_id=beat["payload"]["last_id"])
        while (message := await socket.next())["type"] != "resync":
            assert message["type"] == "heartbeat"
        got = [item["id"] for item in socket.seen if item["id"] is not None]
        assert message["payload"]["last_id"] == got[-1] < all_of_it[-1]
        await socket.say(type="resume", last_id=got[-1])
        while got[-1] < all_of_it[-1]:
            message = await socket.next()
            if message["type"] == "heartbeat":
                await socket.say(type="pong", last_id=message["payload"]["last_id"])
            elif message["id"] is not None:
                got.append(message["id"])
        assert got == all_of_it


_RUBBISH = (
    " ",
    "{",
    "[]",
    '{"type": "sell_all"}',
    '{"type": "resume", "last_id": -1}',
    "\x00",
    '"ping"',
    "9" * 400,
)


async def test_rubbish_when_said_then_a_problem_and_the_connection_stays():
    async with Socket(await made(_listener)) as socket:
        for text in _RUBBISH:
            await socket.socket.send_to(text_data=text)
            assert (await socket.next())["payload"]["code"] == "NOT_UNDERSTOOD"
        await socket.socket.send_to(bytes_data=b"\xff\x00")
        assert (await socket.next())["payload"]["code"] == "NOT_UNDERSTOOD"
        await socket.say(type="ping")
        assert (await socket.next())["type"] == "pong"


async def test_message_when_too_large_then_closed():
    async with Socket(await made(_listener)) as socket:
        await socket.socket.send_to(text_data=" " * (sockets.MESSAGE_BYTES_MAX + 1))
        assert await socket.code() == sockets.TOO_LARGE_CODE


async def test_client_when_it_talks_too_much_then_told_once_and_closed_at_last():
    async with Socket(await made(_listener)) as socket:
        for _ in range(sockets.SAID_AT_ONCE + sockets.SAID_TOO_MUCH + 50):
            await socket.say(type="ping")
        told = []
        while (output := await socket.socket.receive_output(timeout=5))["type"] == "websocket.send":
            told.append(json.loads(output["text"])["type"])
        assert output["code"] == sockets.TOO_MUCH_CODE
        assert told.count("problem") == 1


async def test_type_when_unknown_then_a_problem_that_names_those_there_are():
    async with Socket(await made(_listener)) as socket:
        await socket.say(type="subscribe", types=["login"])
        assert "risk_alert" in (await socket.next())["payload"]["remedy"]


def test_page_when_read_then_what_lies_between_is_covered(db):
    found = _record(3)
    end = _record(4, EventKind.DECISION_MADE)[-1]
    page = log.log_page(after=found[0], until=end, limit=10)
    assert [entry.position for entry in page.entries] == found[1:]
    assert page.reached == end
    assert log.log_page(after=0, until=end, limit=2).reached == found[1]
    assert log.newest_position_before(messages=2, until=end) == found[0]
