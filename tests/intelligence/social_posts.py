"""A social source that stands still, for tests of what is done with its messages."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from apps.domain.errors import SniperError
from apps.intelligence.logic.bots import Account
from apps.intelligence.sources.social.port import Post, Reading, Topic


@dataclass
class FakeSocialSource:
    """Implements SocialSource: hands out what it was given once, or fails as told."""

    name: str = "telegram"
    keeps_text: bool = True
    poll_every_s: float = 5.0
    daily_budget: int | None = None
    posts: list[Post] = field(default_factory=list)
    spends: int = 0
    fails: SniperError | None = None
    asked: list[tuple[Mapping[str, Any], Sequence[Topic], int | None]] = field(default_factory=list)

    def read(
        self, *, cursor: Mapping[str, Any], topics: Sequence[Topic], budget_left: int | None, now_ms: int
    ) -> Reading:
        self.asked.append((cursor, topics, budget_left))
        if self.fails is not None:
            raise self.fails
        posts, self.posts = self.posts, []
        return Reading(posts=tuple(posts), cursor={"at": len(self.asked)}, spent=self.spends)


def post(number: int, text: str, *, sent_at_ms: int, author: str = "", **account: Any) -> Post:
    return Post(
        id=str(number),
        channel="group",
        author_id=author or f"author {number}",
        text=text,
        sent_at_ms=sent_at_ms,
        account=Account(**account),
    )
