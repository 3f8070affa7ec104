"""The sandbox's chatter, read by the system's own sources over HTTP and by the formulas behind them."""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from datetime import UTC, datetime
from types import SimpleNamespace
from typing import Any, cast

import pytest
import requests

from apps.intelligence.logic.mentions import addresses_in
from apps.intelligence.logic.social import Message, coordination, near_duplicates, signature_of
from apps.intelligence.sources.social.discord import DiscordSource
from apps.intelligence.sources.social.port import Post, SocialSource, Topic
from apps.intelligence.sources.social.telegram import TelegramSource
from apps.intelligence.sources.social.x import XSource
from apps.sandbox.chatter import LABEL, said_about
from apps.sandbox.feeds import FeedServer
from apps.sandbox.life import ChainLife, Running
from apps.sandbox.market.draw import Market, draw
from apps.sandbox.social import CHANNELS, answer_of
from tests.factories import address_for

SEED = 3
LAUNCHES = 120
CAMPAIGN_WORDS = ("dont miss", "just aped", "whales are loading")
NOW_MS = int(datetime.now(tz=UTC).timestamp() * 1_000)  # a server on the wall clock is asked
MARKET = Market(seed=SEED, chain_key="eip155:31337001", block_s=2.0, native_price_usd=3_000)


def launched(number: int) -> Running:
    return Running(
        plan=draw(MARKET, number),
        created_block=number,
        created_at=datetime.fromtimestamp(NOW_MS / 1_000 - 1_200, tz=UTC),
        token=address_for(f"launch {number}"),
        pool=address_for(f"pool of launch {number}"),
    )


@pytest.fixture(scope="module")
def life() -> ChainLife:
    return cast(ChainLife, SimpleNamespace(listed=tuple(launched(number) for number in range(LAUNCHES))))


@pytest.fixture(scope="module")
def server(life: ChainLife) -> Iterator[FeedServer]:
    server = FeedServer(port=0, lives=lambda: (life,), seed=SEED)
    server.start()
    yield server
    server.close()


def spoken_of(life: ChainLife) -> list[Running]:
    """Return the launches that somebody speaks of on X, the loudest first."""
    found = [(len(posts_about(item)), item) for item in life.listed]
    return [item for count, item in sorted(found, key=lambda pair: -pair[0]) if count]


def posts_about(running: Running, *, place: str | None = "x") -> list[Any]:
    said = said_about(
        seed=SEED,
        token=running.token,
        name=running.plan.name,
        symbol=running.plan.symbol,
        is_honest=running.plan.is_honest,
        lives_s=running.plan.lives_s,
        created_ms=int(running.created_at.timestamp() * 1_000),
    )
    return [item for item in said if place in (None, item.place) and item.at_ms <= NOW_MS]


def read_all(source: SocialSource, *, topics: Sequence[Topic] = ()) -> list[Post]:
    posts: list[Post] = []
    cursor: dict[str, Any] = {}
    for _ in range(40):
        reading = source.read(cursor=cursor, topics=topics, budget_left=None, now_ms=NOW_MS)
        assert reading.is_simulated
        assert not reading.note
        posts += reading.posts
        cursor = json.loads(json.dumps(dict(reading.cursor)))
        if not reading.posts:
            return posts
    raise AssertionError("never at the end")


def url(server: FeedServer, place: str) -> str:
    return f"http://127.0.0.1:{server.port}/{place}"


def test_telegram_when_read_then_every_message_once_and_labelled(server: FeedServer) -> None:
    posts = read_all(TelegramSource(base_url=url(server, "telegram"), bot_token="sandbox"))
    assert len(posts) > 100
    assert len({post.id for post in posts}) == len(posts)
    assert all(post.text.startswith(LABEL) for post in posts)
    assert [post.sent_at_ms for post in posts] == sorted(post.sent_at_ms for post in posts)


def test_discord_when_read_then_both_channels_with_the_accounts_age(server: FeedServer) -> None:
    posts = read_all(DiscordSource(base_url=url(server, "discord"), bot_token="sandbox", channels=CHANNELS))
    assert {post.channel for post in posts} == set(CHANNELS)
    assert len({(post.channel, post.id) for post in posts}) == len(posts)
    ages = [post.sent_at_ms - (post.account.created_at_ms or 0) for post in posts]
    assert min(ages) > 0
    assert max(ages) > 365 * 86_400_000


def test_x_when_asked_for_a_launch_then_its_posts_alone(server: FeedServer, life: ChainLife) -> None:
    loud = spoken_of(life)[0]
    source = XSource(base_url=url(server, "x"), bearer_token="sandbox", daily_budget=10**6, poll_every_s=5)
    posts = read_all(source, topics=(Topic(address=loud.token),))
    named = [item for item in posts_about(loud) if loud.token in item.text]
    assert {post.text for post in posts} == {item.text for item in named}
    assert all(addresses_in(post.text) == [loud.token.lower()] for post in posts)
    assert all(post.account.followers is not None for post in posts)


def test_chatter_when_launches_differ_then_most_are_quiet_and_some_loud(life: ChainLife) -> None:
    counts = [len(posts_about(running)) for running in life.listed]
    assert sum(count == 0 for count in counts) > LAUNCHES / 2
    assert max(counts) > 10


def test_chatter_when_asked_again_then_the_same(life: ChainLife) -> None:
    query = "offset=0&limit=100"
    first = answer_of("/telegram/botx/getUpdates", query, lives=[life], seed=SEED, now_ms=NOW_MS)
    said_about.cache_clear()
    again = answer_of("/telegram/botx/getUpdates", query, lives=[life], seed=SEED, now_ms=NOW_MS)
    assert first == again
    earlier = answer_of(
        "/telegram/botx/getUpdates", query, lives=[life], seed=SEED, now_ms=NOW_MS - 1_190_000
    )
    assert earlier is not None
    assert first is not None
    assert len(earlier[1]["result"]) < len(first[1]["result"])


def test_answers_when_given_then_no_ground_truth_among_their_fields(
    server: FeedServer, life: ChainLife
) -> None:
    loud = spoken_of(life)[0]
    answer = requests.get(
        url(server, "x") + "/tweets/search/recent",
        params={"query": f'("{loud.token}")', "max_results": "50", "since_id": "0"},
        timeout=5,
    )
    assert answer.headers["X-Simulated-Market"] == "true"
    users = answer.json()["includes"]["users"]
    assert {key for user in users for key in user} == {
        *("id", "username", "name", "created_at", "verified", "description"),
        *("profile_image_url", "location", "public_metrics"),
    }
    assert all("SANDBOX" in user["name"] for user in users)
    assert not any(
        word in json.dumps(answer.json()).lower() for word in ('"bot"', '"shill"', '"mood"', 'honest":')
    )


def test_channel_that_does_not_exist_then_not_found(life: ChainLife) -> None:
    told = answer_of("/discord/channels/9/messages", "", lives=[life], seed=SEED, now_ms=NOW_MS)
    assert told is not None
    assert told[0] == 404
    assert answer_of("/elsewhere", "", lives=[life], seed=SEED, now_ms=NOW_MS) is None


def test_chatter_when_campaigns_run_then_templates_tell_them_from_honest_talk(life: ChainLife) -> None:
    """The measurement alone knows who is honest; what judges sees texts and authors."""
    shares: dict[bool, list[float]] = {True: [], False: []}
    for running in spoken_of(life):
        said = posts_about(running, place=None)
        if len(said) < 12:
            continue
        messages = [
            Message(
                author=str(item.person.number),
                at_ms=item.at_ms,
                score=0.0,
                bot=None,
                account_age_s=None,
                signature=signature_of(item.text),
                by_address=True,
            )
            for item in said
        ]
        is_campaign = sum(any(word in item.text for word in CAMPAIGN_WORDS) for item in said) > len(said) / 2
        shares[is_campaign].append(coordination(messages, near_duplicates(messages)))
    assert min(len(found) for found in shares.values()) >= 3
    assert sum(share >= 0.3 for share in shares[True]) >= len(shares[True]) / 2
    assert max(shares[False]) < 0.3
