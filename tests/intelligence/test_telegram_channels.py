"""Public Telegram channels through a person's session: Telethon's own types, a client in memory in place of the network."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from django.core.management import CommandError, call_command
from telethon import errors, types  # type: ignore[import-untyped]

from apps.domain.errors import BadDataError, ConfigurationError, NetworkError, SourceBlockedError
from apps.intelligence.sources.social.port import Reading
from apps.intelligence.sources.social.telegram_channels import (
    MESSAGES_PER_CHANNEL_MAX,
    TelegramChannelsSource,
    client_of,
)

START = datetime(2026, 9, 1, tzinfo=UTC)


@dataclass
class Network:
    """Channels by name and what Telegram does wrong; acts as the client, too."""

    channels: dict[str, list[str]]
    faults: dict[str, BaseException] = field(default_factory=dict)
    is_signed_in: bool = True
    asked: list[str] = field(default_factory=list)
    is_open: bool = False

    async def connect(self) -> None:
        self._fail("connect")
        self.is_open = True

    async def disconnect(self) -> None:
        self.is_open = False

    async def is_user_authorized(self) -> bool:
        return self.is_signed_in

    async def get_input_entity(self, peer: str) -> Any:
        self.asked.append(peer)
        if peer not in self.channels:
            raise ValueError(f'No user has "{peer}" as username')
        return types.InputPeerChannel(list(self.channels).index(peer) + 1, 77)

    async def get_messages(self, entity: Any, *, limit: int, min_id: int, reverse: bool) -> Sequence[Any]:
        name = list(self.channels)[entity.channel_id - 1]
        self._fail(name)
        found = [
            types.Message(
                id=number,
                peer_id=types.PeerChannel(entity.channel_id),
                from_id=types.PeerUser(5) if number % 2 else None,
                date=START + timedelta(seconds=number),
                message=text,
            )
            for number, text in enumerate(self.channels[name], start=1)
            if number > min_id
        ]
        return found[:limit] if reverse else found[::-1][:limit]

    def _fail(self, where: str) -> None:
        if where in self.faults:
            raise self.faults[where]


def read(network: Network, cursor: Any = None, **options: Any) -> Reading:
    source = TelegramChannelsSource(
        connect=lambda: network, channels=options.pop("channels", list(network.channels)), **options
    )
    return source.read(cursor=cursor or {}, topics=(), budget_left=None, now_ms=0)


def test_channel_then_is_read_from_its_newest_messages_on_and_nothing_twice():
    network = Network({"gems": [f"m{number}" for number in range(1, MESSAGES_PER_CHANNEL_MAX + 51)]})
    first = read(network)
    assert [post.id for post in first.posts] == [str(number) for number in range(51, 151)]
    assert first.posts[0].sent_at_ms == int((START + timedelta(seconds=51)).timestamp() * 1_000)
    assert (first.posts[0].author_id, first.posts[1].author_id) == ("5", "gems")
    network.channels["gems"] += [f"n{number}" for number in range(MESSAGES_PER_CHANNEL_MAX + 10)]
    second = read(network, first.cursor)
    third = read(network, second.cursor)
    assert [len(second.posts), len(third.posts)] == [MESSAGES_PER_CHANNEL_MAX, 10]
    assert len({post.id for post in (*first.posts, *second.posts, *third.posts)}) == 210
    assert network.asked == ["gems"]  # a name is asked for once
    assert not network.is_open


def test_channel_that_is_not_there_or_private_then_is_named_and_the_others_are_read():
    network = Network({"gems": ["hello"], "shut": []})
    network.faults["shut"] = errors.ChannelPrivateError(None)
    found = read(network, channels=["nowhere", "shut", "gems"])
    assert [post.text for post in found.posts] == ["hello"]
    assert found.note == "not read: nowhere, shut"


def test_flood_then_what_was_read_is_kept_and_quiet_is_asked_for():
    network = Network({"gems": ["hello"], "more": ["there"]})
    network.faults["more"] = errors.FloodWaitError(None, capture=321)
    found = read(network)
    assert [post.text for post in found.posts] == ["hello"]
    assert found.rest_s == 321


@pytest.mark.parametrize(
    ("fault", "error"),
    [
        (OSError("down"), NetworkError),
        (TimeoutError(), NetworkError),
        (errors.AuthKeyUnregisteredError(None), SourceBlockedError),
        (errors.ServerError(None, "RPC_CALL_FAIL"), BadDataError),
    ],
    ids=["down", "timeout", "session-gone", "server"],
)
def test_fault_then_is_one_of_ours_with_a_remedy_and_the_connection_is_closed(
    fault: BaseException, error: type[NetworkError]
):
    network = Network({"gems": []}, faults={"connect": fault})
    with pytest.raises(error) as caught:
        read(network)
    assert caught.value.remedy
    assert not network.is_open


def test_session_that_is_signed_out_then_says_how_to_make_one():
    with pytest.raises(SourceBlockedError, match="not signed in") as caught:
        read(Network({"gems": []}, is_signed_in=False))
    assert "telegram_session" in caught.value.remedy


def test_session_that_is_rubbish_then_is_refused_without_showing_it():
    with pytest.raises(ConfigurationError) as caught:
        client_of(api_id=1, api_hash="hash", session="rubbish")
    assert "rubbish" not in str(caught.value)


def test_command_when_the_account_is_not_named_then_says_where_its_numbers_come_from(tmp_path: Path):
    with pytest.raises(CommandError, match=r"my\.telegram\.org"):
        call_command("telegram_session", str(tmp_path / "session"))
    assert not (tmp_path / "session").exists()
