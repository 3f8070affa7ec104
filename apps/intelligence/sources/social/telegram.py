"""Telegram, Bot API: the groups and channels that our bot is a member of.

``GET /getUpdates`` (offset, limit at most 100, timeout 0, allowed_updates) relative to ``https://api.telegram.org/bot<token>``
answers ``{"ok": true, "result": [{"update_id", "message" | "channel_post": {"message_id", "date", "chat", "from", "text" |
"caption"}}]}``. Asking with an offset confirms all updates before it. A bot cannot read channels where it is no member;
public channels need a person's own session (telegram_channels.py). One token has one reader: alerts that only
send may use the same one. Source: Telegram Bot API 10.1. Never run against the live service by us.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from typing import Any

from pydantic import BaseModel, Field, ValidationError

from apps.domain.errors import BadDataError
from apps.intelligence.logic.bots import Account
from apps.intelligence.sources.social.http import SocialHttp
from apps.intelligence.sources.social.port import Post, Reading, Topic

UPDATES_PER_REQUEST_MAX = 100  # documented
PAGES_PER_POLL_MAX = 10
REQUESTS_PER_MIN = 60
POLL_EVERY_S = 5.0
_KINDS = ("message", "channel_post")


class _Chat(BaseModel):
    id: int
    title: str = ""
    username: str = ""


class _Person(BaseModel):
    id: int
    is_bot: bool | None = None


class _Message(BaseModel):
    message_id: int
    date: int
    chat: _Chat
    sender: _Person | None = Field(default=None, alias="from")
    sender_chat: _Chat | None = None
    text: str = ""
    caption: str = ""


class TelegramSource:
    """Reads what a bot hears. Build one a process: it keeps the rate limit."""

    name = "telegram"
    keeps_text = True
    daily_budget: int | None = None

    def __init__(self, *, base_url: str, bot_token: str, poll_every_s: float = POLL_EVERY_S) -> None:
        self.poll_every_s = poll_every_s
        self._http = SocialHttp(
            name="Telegram", base_url=f"{base_url.rstrip('/')}/bot{bot_token}", per_min=REQUESTS_PER_MIN
        )

    def read(
        self, *, cursor: Mapping[str, Any], topics: Sequence[Topic], budget_left: int | None, now_ms: int
    ) -> Reading:
        """Return the messages since the cursor, whatever they are about."""
        offset = int(cursor.get("offset") or 0)
        posts: list[Post] = []
        note, unread = "", 0
        for _ in range(PAGES_PER_POLL_MAX):
            updates = self._page(offset)
            if updates is None:
                note = "our own rate limit was reached"
                break
            for update in updates:
                try:
                    post = _post_of(update)
                except ValidationError:  # one odd update must not stop the others
                    unread += 1
                else:
                    posts += [] if post is None else [post]
            offset = max([offset, *(_id_of(update) + 1 for update in updates)])
            if len(updates) < UPDATES_PER_REQUEST_MAX:
                break
        if unread:
            note = f"{unread} updates were not understood"
        return Reading(
            posts=tuple(posts), cursor={"offset": offset}, is_simulated=self._http.is_simulated, note=note
        )

    def _page(self, offset: int) -> list[dict[str, Any]] | None:
        params = {
            "limit": str(UPDATES_PER_REQUEST_MAX),
            "timeout": "0",
            "allowed_updates": json.dumps(_KINDS),
        }
        if offset:
            params["offset"] = str(offset)
        answer = self._http.ask("/getUpdates", params)
        if answer is None:
            return None
        if (
            not isinstance(answer, dict)
            or answer.get("ok") is not True
            or not isinstance(answer.get("result"), list)
        ):
            raise BadDataError("Telegram answered in an unknown shape", remedy="It is asked again by itself.")
        return [item for item in answer["result"] if isinstance(item, dict)]


def _id_of(update: Mapping[str, Any]) -> int:
    number = update.get("update_id")
    return number if isinstance(number, int) else -1


def _post_of(update: Mapping[str, Any]) -> Post | None:
    """Return an update's message, None where it is none with words."""
    raw = next((update[kind] for kind in _KINDS if kind in update), None)
    if raw is None:
        return None
    message = _Message.model_validate(raw)
    text = message.text or message.caption
    if not text:
        return None
    author = message.sender.id if message.sender else (message.sender_chat or message.chat).id
    return Post(
        id=str(message.message_id),
        channel=str(message.chat.id),
        author_id=str(author),
        text=text,
        sent_at_ms=message.date * 1_000,
        account=Account(is_declared_bot=message.sender.is_bot if message.sender else None),
    )
