"""Discord, REST: the channels that our bot was invited to.

``GET /channels/{id}/messages`` (after, limit at most 100) relative to ``https://discord.com/api/v10`` answers a list of
messages, newest first: ``{"id", "channel_id", "author": {"id", "username", "bot"?, "avatar"}, "content", "timestamp"}``.
Ids are snowflakes and tell when a message was sent and an account made. Without the privileged intent of message content
``content`` is empty. Limits come with each answer (X-RateLimit-Remaining, X-RateLimit-Reset-After). User tokens are
forbidden. Source: Discord API documentation of 2026-08. Never run against the live service by us.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from pydantic import BaseModel, ValidationError

from apps.domain.errors import BadDataError, NetworkError, SniperError
from apps.intelligence.logic.bots import Account
from apps.intelligence.sources.social.http import SocialHttp
from apps.intelligence.sources.social.port import Post, Reading, Topic

MESSAGES_PER_REQUEST_MAX = 100  # documented
CHANNELS_MAX = 50
REQUESTS_PER_MIN = 120
POLL_EVERY_S = 5.0
LOOK_BACK_MS = 3_600_000  # of a channel that is read for the first time
_EPOCH_MS, _SHIFT = 1_420_070_400_000, 22  # of Discord's ids
_EMPTY_TELLING = 5  # so many messages without a word, and none with: the bot may not see words


class _Author(BaseModel):
    id: str
    username: str = ""
    bot: bool = False
    avatar: str | None = None


class _Message(BaseModel):
    id: str
    author: _Author
    content: str = ""
    webhook_id: str | None = None


class DiscordSource:
    """Reads channels by their ids. Build one a process: it keeps the rate limit."""

    name = "discord"
    keeps_text = True
    daily_budget: int | None = None

    def __init__(
        self, *, base_url: str, bot_token: str, channels: Sequence[str], poll_every_s: float = POLL_EVERY_S
    ) -> None:
        self.poll_every_s = poll_every_s
        self._channels = tuple(channels)[:CHANNELS_MAX]
        self._http = SocialHttp(
            name="Discord",
            base_url=base_url,
            per_min=REQUESTS_PER_MIN,
            headers={"Authorization": f"Bot {bot_token}"},
        )

    def read(
        self, *, cursor: Mapping[str, Any], topics: Sequence[Topic], budget_left: int | None, now_ms: int
    ) -> Reading:
        """Return the messages since the cursor, whatever they are about; a channel that refuses stops no other.

        Raises its error when no channel answered.
        """
        after = {str(key): str(value) for key, value in cursor.items() if str(value).isdigit()}  # by channel
        posts: list[Post] = []
        faults: list[SniperError] = []
        wordless, answered, rest_s = 0, 0, 0.0
        for channel in self._channels:
            try:
                messages = self._page(channel, after.get(channel) or str(snowflake(now_ms - LOOK_BACK_MS)))
            except (NetworkError, BadDataError) as error:
                faults.append(error)
                continue
            if messages is None:
                break
            answered += 1
            wordless += sum(not message.content for message in messages)
            posts += [_post(channel, message) for message in messages if message.content]
            if messages:
                after[channel] = max((message.id for message in messages), key=int)
            rest_s = self._asked_rest_s()
            if rest_s:
                break
        if faults and not answered:
            raise faults[0]
        return Reading(
            posts=tuple(sorted(posts, key=lambda post: post.sent_at_ms)),
            cursor=after,
            is_simulated=self._http.is_simulated,
            note=_note(faults, len(self._channels), is_wordless=wordless >= _EMPTY_TELLING and not posts),
            rest_s=rest_s,
        )

    def _page(self, channel: str, after: str) -> list[_Message] | None:
        answer = self._http.ask(
            f"/channels/{channel}/messages", {"after": after, "limit": str(MESSAGES_PER_REQUEST_MAX)}
        )
        if answer is None:
            return None
        try:
            found = [_Message.model_validate(item) for item in answer]
        except (TypeError, ValidationError):
            raise BadDataError(
                "Discord answered in an unknown shape", remedy="It is asked again by itself."
            ) from None
        return [message for message in found if message.id.isdigit()]

    def _asked_rest_s(self) -> float:
        """Return how long this route rests before its next answer, 0 while it has some left."""
        if self._http.headers.get("x-ratelimit-remaining") != "0":
            return 0.0
        try:
            return min(max(float(self._http.headers.get("x-ratelimit-reset-after", "1")), 0.0), 60.0)
        except ValueError:
            return 1.0


def snowflake(at_ms: int) -> int:
    """Return the least id of this moment."""
    return max(at_ms - _EPOCH_MS, 0) << _SHIFT


def made_at_ms(snowflake_id: str) -> int | None:
    """Return when an id was made, None where it is no snowflake."""
    return (int(snowflake_id) >> _SHIFT) + _EPOCH_MS if snowflake_id.isdigit() else None


def _post(channel: str, message: _Message) -> Post:
    author, sent_at_ms = message.author, made_at_ms(message.id)
    assert sent_at_ms is not None, message.id
    is_program = author.bot or message.webhook_id is not None
    return Post(
        id=message.id,
        channel=channel,
        author_id=author.id,
        text=message.content,
        sent_at_ms=sent_at_ms,
        account=Account(
            created_at_ms=None if is_program else made_at_ms(author.id),
            has_default_image=author.avatar is None,
            name_digits=sum(character.isdigit() for character in author.username),
            is_declared_bot=is_program,
        ),
    )


def _note(faults: Sequence[SniperError], channels: int, *, is_wordless: bool) -> str:
    if faults:
        return f"{len(faults)} of {channels} channels were not read: {faults[0]}"
    if is_wordless:
        return "messages come without their words: switch on the message content intent of the bot"
    return ""
