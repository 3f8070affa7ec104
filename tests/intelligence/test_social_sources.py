"""X, Telegram and Discord over HTTP: shapes, cursors, budgets, refusals, and no token where a person could read it."""

from __future__ import annotations

import traceback
from collections.abc import Iterator
from typing import Any

import pytest

from apps.domain.errors import (
    BadDataError,
    NetworkError,
    RateLimitedError,
    SourceBlockedError,
    SourceExhaustedError,
)
from apps.intelligence.sources.social import discord, x
from apps.intelligence.sources.social.discord import DiscordSource
from apps.intelligence.sources.social.port import Reading, SocialSource, Topic
from apps.intelligence.sources.social.telegram import TelegramSource
from apps.intelligence.sources.social.x import XSource, queries
from tests.discovery.fakes import FeedServer, feed_server

TOKEN = "sesame-12345"
NOW_MS = 1_790_000_000_000
TOPIC = Topic(address="0x" + "Ab" * 20, cashtag="FROG")


@pytest.fixture
def server() -> Iterator[FeedServer]:
    with feed_server() as state:
        yield state


def read(source: SocialSource, *, cursor: Any = None, budget_left: int | None = None) -> Reading:
    return source.read(cursor=cursor or {}, topics=(TOPIC,), budget_left=budget_left, now_ms=NOW_MS)


# -- X --------------------------------------------------------------------------------------
def x_source(server: FeedServer, *, budget: int = 1_000) -> XSource:
    return XSource(base_url=server.url, bearer_token=TOKEN, daily_budget=budget)


def x_answer(count: int) -> dict[str, Any]:
    return {
        "data": [
            {
                "id": str(10**18 + number),
                "text": f"message {number}",
                "author_id": "7",
                "created_at": "2026-09-21T13:46:40.000Z",
                "public_metrics": {"like_count": 1},
            }
            for number in range(count)
        ],
        "includes": {
            "users": [
                {
                    "id": "7",
                    "username": "frog99",
                    "created_at": "2020-01-01T00:00:00.000Z",
                    "verified": False,
                    "description": "hi",
                    "profile_image_url": "https://images.example/default_profile_images/a.png",
                    "public_metrics": {"followers_count": 3, "following_count": 900, "tweet_count": 12},
                }
            ]
        },
        "meta": {"result_count": count, "newest_id": "1"},
    }


def test_x_when_nothing_is_said_then_no_posts_are_read(server: FeedServer) -> None:
    server.tell("/tweets/counts/recent", {"data": [], "meta": {"total_tweet_count": 0}})
    reading = read(x_source(server))
    assert server.asked == ["/tweets/counts/recent"]
    assert server.headers[0]["Authorization"] == f"Bearer {TOKEN}"
    assert (reading.posts, reading.spent) == ((), x.COUNT_UNITS)
    assert int(reading.cursor["since"][TOPIC.address]) == x.snowflake(NOW_MS - x.OVERLAP_MS)


def test_x_when_posts_are_read_then_parsed_and_paid_for(server: FeedServer) -> None:
    server.tell("/tweets/counts/recent", {"meta": {"total_tweet_count": 3}})
    server.tell("/tweets/search/recent", x_answer(3))
    reading = read(x_source(server))
    assert [post.text for post in reading.posts] == ["message 0", "message 1", "message 2"]
    assert reading.spent == x.COUNT_UNITS + 3 * x.POST_UNITS + x.USER_UNITS
    account = reading.posts[0].account
    assert (account.followers, account.following, account.messages) == (3, 900, 12)
    assert (account.has_default_image, account.name_digits, account.favourites) == (True, 2, None)
    assert not reading.is_simulated


@pytest.mark.parametrize(("left", "asked"), [(0, 0), (1, 1), (30, 1), (31, 2)])
def test_x_when_budget_runs_out_then_stops_before_it_is_passed(
    server: FeedServer, left: int, asked: int
) -> None:
    server.tell("/tweets/counts/recent", {"meta": {"total_tweet_count": 50}})
    server.tell("/tweets/search/recent", x_answer(10))
    reading = read(x_source(server), budget_left=left)
    assert len(server.asked) == asked
    assert reading.spent <= left
    assert reading.is_exhausted == (asked < 2)


def test_x_when_it_was_not_read_for_weeks_then_asks_no_further_back_than_it_may(server: FeedServer) -> None:
    server.tell("/tweets/counts/recent", {"meta": {"total_tweet_count": 0}})
    old = {"since": {TOPIC.address: str(x.snowflake(NOW_MS - 30 * 86_400_000))}}
    read(x_source(server), cursor=old)
    assert f"since_id={x.snowflake(NOW_MS - x.OLDEST_MS)}" in server.queries[0]


def test_x_when_more_pairs_than_fit_then_those_that_waited_longest_come_first(server: FeedServer) -> None:
    server.tell("/tweets/counts/recent", {"meta": {"total_tweet_count": 0}})
    topics = tuple(Topic(address=f"0x{number:040x}") for number in range(40))
    source = XSource(base_url=server.url, bearer_token=TOKEN, daily_budget=1_000, poll_every_s=5)
    cursor: dict[str, Any] = {}
    for _ in range(3):
        reading = source.read(cursor=cursor, topics=topics, budget_left=None, now_ms=NOW_MS)
        cursor = dict(reading.cursor)
    assert set(cursor["since"]) == {topic.address for topic in topics}


def test_x_when_answer_has_no_data_then_empty(server: FeedServer) -> None:
    server.tell("/tweets/counts/recent", {"meta": {"total_tweet_count": 5}})
    server.tell("/tweets/search/recent", {"meta": {"result_count": 0}})
    assert read(x_source(server)).posts == ()


def test_queries_when_many_topics_then_few_and_short_enough() -> None:
    topics = [Topic(address=f"0x{number:040x}", cashtag=f"T{number}"[:6]) for number in range(60)]
    made = queries(topics)
    assert len(made) == x.QUERIES_PER_POLL_MAX
    assert all(len(query) <= x.QUERY_MAX for query, _ in made)
    assert [topic for _, part in made for topic in part] == topics[: sum(len(part) for _, part in made)]


@pytest.mark.parametrize("answer", [{}, {"meta": 3}, [], {"meta": {"total_tweet_count": "many"}}])
def test_x_when_shape_is_unknown_then_bad_data(server: FeedServer, answer: Any) -> None:
    server.tell("/tweets/counts/recent", answer)
    with pytest.raises(BadDataError):
        read(x_source(server))


# -- Telegram -------------------------------------------------------------------------------
PATH = f"/bot{TOKEN}/getUpdates"


def telegram(server: FeedServer) -> TelegramSource:
    return TelegramSource(base_url=server.url, bot_token=TOKEN)


def update(number: int, **message: Any) -> dict[str, Any]:
    return {
        "update_id": number,
        "message": {
            "message_id": number,
            "date": NOW_MS // 1_000,
            "chat": {"id": -5, "type": "supergroup", "title": "Talk"},
            "from": {"id": 8, "is_bot": False},
            **message,
        },
    }


def test_telegram_when_updates_come_then_offset_confirms_them(server: FeedServer) -> None:
    server.tell(
        PATH,
        {
            "ok": True,
            "result": [
                update(41, text="hello"),
                update(42, photo=[], caption="a picture"),
                update(43, new_chat_members=[]),
                {
                    "update_id": 44,
                    "channel_post": {"message_id": 1, "date": 5, "chat": {"id": -6}, "text": "post"},
                },
                {"update_id": 45, "message": {"text": "no chat"}},
            ],
        },
    )
    reading = read(telegram(server))
    assert [post.text for post in reading.posts] == ["hello", "a picture", "post"]
    assert reading.cursor == {"offset": 46}
    assert "1 updates" in reading.note
    assert reading.posts[0].account.is_declared_bot is False
    assert reading.posts[2].author_id == "-6"


def test_telegram_when_not_ok_then_bad_data(server: FeedServer) -> None:
    server.tell(PATH, {"ok": False})
    with pytest.raises(BadDataError):
        read(telegram(server))


# -- Discord --------------------------------------------------------------------------------
def discord_source(server: FeedServer, *channels: str) -> DiscordSource:
    return DiscordSource(base_url=server.url, bot_token=TOKEN, channels=channels or ("1",))


def message(number: int, content: str = "hello", **author: Any) -> dict[str, Any]:
    return {
        "id": str(discord.snowflake(NOW_MS) + number),
        "author": {
            "id": str(discord.snowflake(NOW_MS - 86_400_000)),
            "username": "a1",
            "avatar": None,
            **author,
        },
        "content": content,
        "timestamp": "2026-09-21T13:46:40+00:00",
    }


def test_discord_when_messages_come_then_times_follow_from_ids(server: FeedServer) -> None:
    server.tell("/channels/1/messages", [message(2), message(1, bot=True)])
    reading = read(discord_source(server))
    assert server.headers[0]["Authorization"] == f"Bot {TOKEN}"
    assert [post.sent_at_ms for post in reading.posts] == [NOW_MS, NOW_MS]
    assert reading.cursor == {"1": message(2)["id"]}
    made = {post.account.created_at_ms for post in reading.posts}
    assert made == {NOW_MS - 86_400_000, None}  # a program's account tells nothing by its age


def test_discord_when_one_channel_refuses_then_the_others_are_read_and_it_is_said(server: FeedServer) -> None:
    server.tell("/channels/1/messages", {"message": "Missing Access", "code": 50001}, status=403)
    server.tell("/channels/2/messages", [message(1)])
    reading = read(discord_source(server, "1", "2"))
    assert len(reading.posts) == 1
    assert "1 of 2 channels" in reading.note


def test_discord_when_words_are_hidden_then_says_which_switch_is_missing(server: FeedServer) -> None:
    server.tell("/channels/1/messages", [message(number, content="") for number in range(6)])
    assert "message content intent" in read(discord_source(server)).note


def test_discord_when_route_is_used_up_then_asks_for_rest(server: FeedServer) -> None:
    server.tell(
        "/channels/1/messages",
        [message(1)],
        headers={"X-RateLimit-Remaining": "0", "X-RateLimit-Reset-After": "12.5"},
    )
    assert read(discord_source(server, "1", "2")).rest_s == 12.5
    assert len(server.asked) == 1


# -- all three ------------------------------------------------------------------------------
@pytest.mark.parametrize(
    ("status", "kind"),
    [
        (401, SourceBlockedError),
        (403, SourceBlockedError),
        (409, SourceBlockedError),
        (402, SourceExhaustedError),
        (400, BadDataError),
        (429, RateLimitedError),
        (500, NetworkError),
    ],
)
def test_refusal_then_its_own_error_and_no_token_in_it(
    server: FeedServer, status: int, kind: type[Exception]
) -> None:
    told = {"ok": False, "description": "because", "message": "because", "retry_after": 3}
    sources: dict[str, SocialSource] = {
        "/tweets/counts/recent": x_source(server),
        PATH: telegram(server),
        "/channels/1/messages": discord_source(server),
    }
    for path, source in sources.items():
        server.tell(path, told, status=status)
        with pytest.raises(kind) as caught:
            read(source)
        assert TOKEN not in "".join(traceback.format_exception(caught.value))


def test_nobody_answers_then_network_error_without_the_token() -> None:
    for source in (
        TelegramSource(base_url="http://127.0.0.1:9", bot_token=TOKEN),
        XSource(base_url="http://127.0.0.1:9", bearer_token=TOKEN, daily_budget=10),
    ):
        with pytest.raises(NetworkError) as caught:
            read(source)
        assert TOKEN not in "".join(traceback.format_exception(caught.value))


@pytest.mark.parametrize("body", [b"<html>", b"null", b'{"a":' + b"[" * 5_000, b"\xff\xfe"])
def test_answer_is_no_json_then_bad_data(server: FeedServer, body: bytes) -> None:
    server.tell(PATH, body)
    with pytest.raises(BadDataError):
        read(telegram(server))


def test_answer_from_the_sandbox_then_marked_as_simulated(server: FeedServer) -> None:
    server.tell(PATH, {"ok": True, "result": []}, headers={"X-Simulated-Market": "true"})
    assert read(telegram(server)).is_simulated
