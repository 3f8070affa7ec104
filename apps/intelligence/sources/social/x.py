"""X (Twitter), API v2, app-only token: counts first, posts only where something is said and the budget allows.

Relative to the base address (``https://api.x.com/2``):

- ``GET /tweets/counts/recent`` (query, since_id, granularity=hour): ``{"data": […], "meta": {"total_tweet_count"}}``;
- ``GET /tweets/search/recent`` (query, since_id, max_results 10-100, fields): ``{"data": [post…], "includes": {"users":
  [user…]}, "meta": {"result_count", "newest_id"…}}``; ``data`` is missing where nothing was found.

A query has at most 512 characters; ids are strings of snowflakes. X bills each post and each account that it hands out and
each request for counts, so every poll has a budget in units of half a cent. Its terms allow to keep ids and numbers only.
Source: X API documentation of 2026-08. Never run against the live service by us.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any

from pydantic import BaseModel, ValidationError

from apps.domain.errors import BadDataError
from apps.intelligence.logic.bots import Account
from apps.intelligence.sources.social.http import SocialHttp
from apps.intelligence.sources.social.port import Post, Reading, Topic

#: Prices of 2026 in units of half a cent.
COUNT_UNITS, POST_UNITS, USER_UNITS = 1, 1, 2
UNITS_PER_USD = 200
QUERY_MAX = 512  # documented
RESULTS_MIN, RESULTS_MAX = 10, 100  # documented
QUERIES_PER_POLL_MAX = 2
REQUESTS_PER_MIN = 20  # documented: 300 a quarter of an hour for counts
#: So counts alone take at most a third of the default budget of a day.
POLL_EVERY_S = 600.0
#: A pair that is asked about for the first time is asked about so far back.
LOOK_BACK_MS = 3_600_000
#: X refuses to look further back than a week.
OLDEST_MS = 6 * 86_400_000
#: The index is a little late: what was said in the last moments is asked for again.
OVERLAP_MS = 30_000
_EPOCH_MS, _SHIFT = 1_288_834_974_657, 22  # of X's ids
_TOPICS_KEPT_MAX = 500
_SUFFIX = " -is:retweet"
_FIELDS = {
    "tweet.fields": "created_at,author_id,public_metrics,lang",
    "expansions": "author_id",
    "user.fields": "created_at,public_metrics,verified,description,profile_image_url,url,location",
}


class _Post(BaseModel):
    id: str
    text: str
    author_id: str
    created_at: datetime


class _UserMetrics(BaseModel):
    followers_count: int | None = None
    following_count: int | None = None
    tweet_count: int | None = None
    listed_count: int | None = None
    like_count: int | None = None


class _User(BaseModel):
    id: str
    username: str = ""
    created_at: datetime | None = None
    verified: bool | None = None
    description: str | None = None
    profile_image_url: str | None = None
    url: str | None = None
    location: str | None = None
    public_metrics: _UserMetrics = _UserMetrics()


class XSource:
    """Reads X. Build one a process: it keeps the rate limit."""

    name = "x"
    keeps_text = False

    def __init__(
        self, *, base_url: str, bearer_token: str, daily_budget: int, poll_every_s: float = POLL_EVERY_S
    ) -> None:
        self.daily_budget: int | None = daily_budget
        self.poll_every_s = poll_every_s
        per_min = REQUESTS_PER_MIN if poll_every_s >= POLL_EVERY_S else 10 * REQUESTS_PER_MIN
        self._http = SocialHttp(
            name="X",
            base_url=base_url,
            per_min=per_min,
            headers={"Authorization": f"Bearer {bearer_token}"},
        )

    def read(
        self, *, cursor: Mapping[str, Any], topics: Sequence[Topic], budget_left: int | None, now_ms: int
    ) -> Reading:
        """Return what is said about these pairs since each one was last asked about."""
        since = _since_of(cursor)
        left = self.daily_budget if budget_left is None else budget_left
        posts: dict[str, Post] = {}
        spent, note, simulated, is_exhausted = 0, "", False, False
        # Pairs that were never asked about come first, then those that have waited longest.
        for query, part in queries(sorted(topics, key=lambda topic: since.get(topic.address, 0))):
            if left is not None and spent + COUNT_UNITS > left:
                note, is_exhausted = "today's budget is spent", True
                break
            start = min(since.get(topic.address, snowflake(now_ms - LOOK_BACK_MS)) for topic in part)
            start = max(start, snowflake(now_ms - OLDEST_MS))
            spent += COUNT_UNITS
            said = self._count(query, start)
            simulated = self._http.is_simulated
            if said is None:
                note = "our own rate limit was reached"
                break
            affordable = _affordable(said, None if left is None else left - spent)
            if said and affordable < RESULTS_MIN:
                note, is_exhausted = "today's budget does not reach for the posts that there are", True
                break
            if said:
                found, users = self._search(query, start, affordable)
                spent += POST_UNITS * len(found) + USER_UNITS * users
                posts.update((post.id, post) for post in found)
            since.update((topic.address, snowflake(now_ms - OVERLAP_MS)) for topic in part)
        newest = dict(sorted(since.items(), key=lambda item: -item[1])[:_TOPICS_KEPT_MAX])
        return Reading(
            posts=tuple(sorted(posts.values(), key=lambda post: post.sent_at_ms)),
            cursor={"since": {address: str(value) for address, value in newest.items()}},
            spent=spent,
            is_simulated=simulated,
            note=note,
            is_exhausted=is_exhausted,
        )

    def _count(self, query: str, since_id: int) -> int | None:
        """Return how many posts there are, None when our own rate limit says: not now."""
        answer = self._http.ask(
            "/tweets/counts/recent", {"query": query, "since_id": str(since_id), "granularity": "hour"}
        )
        if answer is None:
            return None
        try:
            return int(answer["meta"]["total_tweet_count"])
        except (KeyError, TypeError, ValueError):
            raise BadDataError(
                "X counted in an unknown shape", remedy="It is asked again by itself."
            ) from None

    def _search(self, query: str, since_id: int, results: int) -> tuple[list[Post], int]:
        """Return the newest posts of a query and how many accounts came along."""
        answer = self._http.ask(
            "/tweets/search/recent",
            {"query": query, "since_id": str(since_id), "max_results": str(results), **_FIELDS},
        )
        if answer is None:
            return [], 0
        try:
            users = {
                user.id: user
                for user in map(_User.model_validate, (answer.get("includes") or {}).get("users") or [])
            }
            found = [_Post.model_validate(item) for item in answer.get("data") or []]
        except (AttributeError, ValidationError) as error:
            raise BadDataError(
                f"X answered in an unknown shape: {type(error).__name__}",
                remedy="It is asked again by itself.",
            ) from None
        return [_post(item, users.get(item.author_id)) for item in found], len(users)


def queries(topics: Sequence[Topic]) -> list[tuple[str, tuple[Topic, ...]]]:
    """Return a few queries that together ask for as many of the topics as fit, in their order."""
    found: list[tuple[str, tuple[Topic, ...]]] = []
    terms: list[str] = []
    part: list[Topic] = []
    for topic in topics:
        term = f'"{topic.address}"' + (f" OR ${topic.cashtag}" if topic.cashtag else "")
        if len(_query([*terms, term])) > QUERY_MAX:
            found.append((_query(terms), tuple(part)))
            terms, part = [], []
            if len(found) == QUERIES_PER_POLL_MAX:
                return found
        terms.append(term)
        part.append(topic)
    if part:
        found.append((_query(terms), tuple(part)))
    return found


def snowflake(at_ms: int) -> int:
    """Return the least id of a post of this moment."""
    return max(at_ms - _EPOCH_MS, 0) << _SHIFT


def _query(terms: Sequence[str]) -> str:
    return f"({' OR '.join(terms)}){_SUFFIX}"


def _affordable(said: int, left: int | None) -> int:
    """Return how many posts to ask for: each one may bring an account of its own along."""
    wanted = min(max(said, RESULTS_MIN), RESULTS_MAX)
    return wanted if left is None else min(wanted, left // (POST_UNITS + USER_UNITS))


def _since_of(cursor: Mapping[str, Any]) -> dict[str, int]:
    kept = cursor.get("since")
    if not isinstance(kept, dict):
        return {}
    return {str(key): int(value) for key, value in kept.items() if str(value).isdigit()}


def _post(item: _Post, user: _User | None) -> Post:
    return Post(
        id=item.id,
        channel="search",
        author_id=item.author_id,
        text=item.text,
        sent_at_ms=int(item.created_at.timestamp() * 1_000),
        account=Account() if user is None else _account(user),
    )


def _account(user: _User) -> Account:
    metrics = user.public_metrics
    return Account(
        created_at_ms=None if user.created_at is None else int(user.created_at.timestamp() * 1_000),
        followers=metrics.followers_count,
        following=metrics.following_count,
        listed=metrics.listed_count,
        favourites=metrics.like_count,
        messages=metrics.tweet_count,
        is_verified=user.verified,
        has_default_image=None
        if user.profile_image_url is None
        else "default_profile" in user.profile_image_url,
        has_link=None if user.url is None else bool(user.url),
        has_location=None if user.location is None else bool(user.location),
        description_length=None if user.description is None else len(user.description),
        name_digits=sum(character.isdigit() for character in user.username) if user.username else None,
    )
