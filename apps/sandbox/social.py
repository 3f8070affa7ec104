"""The sandbox's chatter in the shapes of X v2, Telegram's Bot API and Discord's REST, for the same sources as in life."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from datetime import UTC, datetime
from typing import Any
from urllib.parse import parse_qs

from apps.sandbox.chatter import Person, Place, Said, heard_by, said_about
from apps.sandbox.life import ChainLife

CHANNELS = ("1", "2")
_GROUP = -1_001_000_000_001
_X_EPOCH_MS, _DISCORD_EPOCH_MS, _SHIFT = 1_288_834_974_657, 1_420_070_400_000, 22
_NUMBERS = 4_096
#: Telegram counts its updates; here from a moment before any sandbox.
_UPDATES_FROM_MS = 1_700_000_000_000
_PAGE_MAX = 100
_LOOK_BACK_MS = 7 * 86_400_000
_TERM = re.compile(r'"([^"]+)"|\$([A-Za-z0-9]+)')

Answer = tuple[int, Any]


def answer_of(path: str, query: str, *, lives: Sequence[ChainLife], seed: int, now_ms: int) -> Answer | None:
    """Return status and answer of one of the three services, None for a path of none of them."""
    asked = {key: values[-1] for key, values in parse_qs(query).items()}
    match path.strip("/").split("/"):
        case ["x", "tweets", "counts", "recent"]:
            found = _found(asked, lives, seed=seed, now_ms=now_ms)
            return 200, {"data": [], "meta": {"total_tweet_count": len(found)}}
        case ["x", "tweets", "search", "recent"]:
            return 200, _search(asked, _found(asked, lives, seed=seed, now_ms=now_ms), now_ms=now_ms)
        case ["telegram", bot, "getUpdates"] if bot.startswith("bot"):
            return 200, {"ok": True, "result": _updates(asked, _heard("telegram", lives, seed, now_ms))}
        case ["discord", "channels", channel, "messages"]:
            if channel not in CHANNELS:
                return 404, {"message": "Unknown Channel", "code": 10003}
            return 200, _messages(asked, channel, _heard("discord", lives, seed, now_ms), now_ms)
    return None


def _heard(place: Place, lives: Iterable[ChainLife], seed: int, now_ms: int) -> list[Said]:
    """Return what was said at a place until now about every launch that is listed."""
    said: list[Said] = []
    for life in lives:
        for running in life.listed:
            said += said_about(
                seed=seed,
                token=running.token,
                name=running.plan.name,
                symbol=running.plan.symbol,
                is_honest=running.plan.is_honest,
                lives_s=running.plan.lives_s,
                created_ms=int(running.created_at.timestamp() * 1_000),
            )
    return heard_by(said, place, now_ms=now_ms)


# -- X -------------------------------------------------------------------------------------
def _found(asked: Mapping[str, str], lives: Sequence[ChainLife], *, seed: int, now_ms: int) -> list[Said]:
    terms = _TERM.findall(asked.get("query", ""))
    addresses = {address.lower() for address, _ in terms if address}
    tags = {tag.upper() for _, tag in terms if tag}
    since = _number(asked.get("since_id"), (now_ms - _LOOK_BACK_MS - _X_EPOCH_MS) << _SHIFT)
    return [
        item
        for item in _heard("x", lives, seed, now_ms)
        if _id_from(item, _X_EPOCH_MS) > since
        and ((item.token.lower() in addresses and item.token in item.text) or item.tag in tags)
    ]


def _search(asked: Mapping[str, str], found: Sequence[Said], *, now_ms: int) -> dict[str, Any]:
    """Return the newest posts first, with their accounts; ``data`` is missing where there is nothing."""
    newest = list(reversed(found))[: min(_number(asked.get("max_results"), 10), _PAGE_MAX)]
    if not newest:
        return {"meta": {"result_count": 0}}
    people = {item.person.number: item.person for item in newest}
    return {
        "data": [
            {
                "id": str(_id_from(item, _X_EPOCH_MS)),
                "text": item.text,
                "author_id": str(item.person.number),
                "created_at": _time(item.at_ms),
                "lang": "en",
            }
            for item in newest
        ],
        "includes": {"users": [_user(person, now_ms) for person in people.values()]},
        "meta": {
            "result_count": len(newest),
            "newest_id": str(_id_from(newest[0], _X_EPOCH_MS)),
            "oldest_id": str(_id_from(newest[-1], _X_EPOCH_MS)),
        },
    }


def _user(person: Person, now_ms: int) -> dict[str, Any]:
    image = (
        "profile_images/1/picture.jpg" if person.has_image else "sticky/default_profile_images/default.png"
    )
    return {
        "id": str(person.number),
        "username": person.name,
        "name": f"{person.name} (SANDBOX)",
        "created_at": _time(_made_ms(person, now_ms)),
        "verified": False,
        "description": person.description,
        "profile_image_url": f"https://images.example/{image}",
        "location": "Sandbox" if person.has_location else "",
        "public_metrics": {
            "followers_count": person.followers,
            "following_count": person.following,
            "tweet_count": person.messages,
            "listed_count": person.listed,
            "like_count": person.likes,
        },
    }


# -- Telegram ------------------------------------------------------------------------------
def _updates(asked: Mapping[str, str], heard: Sequence[Said]) -> list[dict[str, Any]]:
    offset = _number(asked.get("offset"), 0)
    limit = min(_number(asked.get("limit"), _PAGE_MAX), _PAGE_MAX)
    waiting = [(number, item) for item in heard if (number := _update_id(item)) >= offset]
    return [
        {
            "update_id": number,
            "message": {
                "message_id": number,
                "date": item.at_ms // 1_000,
                "chat": {"id": _GROUP, "type": "supergroup", "title": "Launch talk (SANDBOX)"},
                "from": {"id": item.person.number, "is_bot": False, "username": item.person.name},
                "text": item.text,
            },
        }
        for number, item in waiting[:limit]
    ]


def _update_id(item: Said) -> int:
    return (item.at_ms - _UPDATES_FROM_MS) * _NUMBERS + item.number


# -- Discord -------------------------------------------------------------------------------
def _messages(
    asked: Mapping[str, str], channel: str, heard: Sequence[Said], now_ms: int
) -> list[dict[str, Any]]:
    """Return the messages right after an id, newest first, as Discord does."""
    after = _number(asked.get("after"), 0)
    limit = min(_number(asked.get("limit"), 50), _PAGE_MAX)
    own = [item for item in heard if CHANNELS[item.number % len(CHANNELS)] == channel]
    new = [item for item in own if _id_from(item, _DISCORD_EPOCH_MS) > after][:limit]
    return [
        {
            "id": str(_id_from(item, _DISCORD_EPOCH_MS)),
            "channel_id": channel,
            "author": {
                "id": str(_account_id(item.person, now_ms)),
                "username": item.person.name,
                "avatar": "picture" if item.person.has_image else None,
            },
            "content": item.text,
            "timestamp": _time(item.at_ms),
        }
        for item in reversed(new)
    ]


def _account_id(person: Person, now_ms: int) -> int:
    """Return an id that tells when the account was made."""
    made_ms = _made_ms(person, now_ms)
    return (max(made_ms - _DISCORD_EPOCH_MS, 0) << _SHIFT) + person.number % 2**_SHIFT


# -- all three -----------------------------------------------------------------------------
def _id_from(item: Said, epoch_ms: int) -> int:
    return (max(item.at_ms - epoch_ms, 0) << _SHIFT) + item.number


def _made_ms(person: Person, now_ms: int) -> int:
    """Return when an account was made, counted from the first of the month so that it stays the same for a while."""
    month = datetime.fromtimestamp(now_ms / 1_000, tz=UTC).replace(
        day=1, hour=0, minute=0, second=0, microsecond=0
    )
    return int((month.timestamp() - person.made_before_s) * 1_000)


def _time(at_ms: int) -> str:
    return (
        datetime.fromtimestamp(at_ms / 1_000, tz=UTC).strftime("%Y-%m-%dT%H:%M:%S.") + f"{at_ms % 1000:03d}Z"
    )


def _number(text: str | None, default: int) -> int:
    return int(text) if text and text.lstrip("-").isdigit() else default
