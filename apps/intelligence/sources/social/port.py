"""What every social source offers, and what it hands over."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Protocol

from apps.intelligence.logic.bots import Account

#: Longer texts are cut: nobody reads on, and a page must be able to show them.
TEXT_KEPT_MAX = 1_000


@dataclass(frozen=True, slots=True, kw_only=True)
class Topic:
    """A pair that we want to hear about. ``cashtag`` "": its symbol is not unique or not one that can be asked for."""

    address: str  # of the token
    cashtag: str = ""  # without $, upper case


@dataclass(frozen=True, slots=True, kw_only=True)
class Post:
    """One message as the source gave it, checked at the edge."""

    id: str
    channel: str
    author_id: str
    text: str
    sent_at_ms: int
    account: Account = field(default_factory=Account)


@dataclass(frozen=True, slots=True, kw_only=True)
class Reading:
    """What one poll brought. ``cursor`` is where the next one goes on; ``spent`` what it cost in the source's units.

    ``note`` says in plain words what was not read and why; ``rest_s`` asks for that much quiet; ``is_exhausted``: what is
    left of the day's budget reaches for nothing more.
    """

    posts: tuple[Post, ...]
    cursor: Mapping[str, Any]
    spent: int = 0
    is_simulated: bool = False
    note: str = ""
    rest_s: float = 0.0
    is_exhausted: bool = False


class SocialSource(Protocol):
    """A place where people talk."""

    name: str
    keeps_text: bool  # False: the source's terms allow to keep ids and numbers only
    poll_every_s: float
    daily_budget: int | None  # units a UTC day; None: reading costs nothing

    def read(
        self, *, cursor: Mapping[str, Any], topics: Sequence[Topic], budget_left: int | None, now_ms: int
    ) -> Reading:
        """Return what is new since the cursor, oldest first.

        Raises NetworkError, RateLimitedError, SourceBlockedError, SourceExhaustedError, BadDataError.
        """
