"""Telegram, a person's own session over MTProto: public channels where no bot of ours is a member. An optional extra.

Read through Telethon (requirements/research.txt), which speaks the protocol: ``get_input_entity(name)`` finds a channel once
(Telegram allows few such questions a day, so its number and hash are kept in the cursor), ``get_messages(peer, min_id,
limit)`` brings what is new. Whoever holds the session holds the account: use one made for this, not your private one.
Source: Telethon 1.45. Never run against the live service by us.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Mapping, Sequence
from types import ModuleType
from typing import Any, Protocol

from apps.domain.errors import BadDataError, ConfigurationError, NetworkError, SourceBlockedError
from apps.intelligence.sources.social.port import Post, Reading, Topic

POLL_EVERY_S = 30.0
POLL_MAX_S = 25.0
CHANNELS_MAX = 50
MESSAGES_PER_CHANNEL_MAX = 100  # one answer of the server holds no more
_ANEW = "Make a session anew with 'manage.py telegram_session'."


class Client(Protocol):
    """What is used of Telethon's TelegramClient."""

    async def connect(self) -> None:
        """Open the connection."""

    async def disconnect(self) -> None:
        """Close it."""

    async def is_user_authorized(self) -> bool:
        """Tell whether the session is still good."""

    async def get_input_entity(self, peer: str) -> Any:
        """Return the InputPeerChannel of that name: ``channel_id``, ``access_hash``."""

    async def get_messages(self, entity: Any, *, limit: int, min_id: int, reverse: bool) -> Sequence[Any]:
        """Return a channel's messages above ``min_id``: the newest, or the oldest when ``reverse``."""


def telethon() -> ModuleType:
    """Return the library. Raises ConfigurationError where it is not installed."""
    try:
        import telethon as library  # type: ignore[import-untyped]
        import telethon.sessions  # type: ignore[import-untyped]
    except ImportError as error:
        raise ConfigurationError(
            "Telegram channels are configured, and Telethon is not installed.",
            remedy="Install it with 'pip install telethon', or leave DEXSNIPER_TELEGRAM_CHANNELS empty.",
        ) from error
    assert isinstance(library, ModuleType)
    return library


def client_of(*, api_id: int, api_hash: str, session: str) -> Client:
    """Return a client that acts for the session's account. Raises ConfigurationError."""
    library = telethon()
    try:
        kept = library.sessions.StringSession(session)
    except ValueError as error:
        raise ConfigurationError("The Telegram session is not one.", remedy=_ANEW) from error
    client: Client = library.TelegramClient(
        kept, api_id, api_hash, receive_updates=False, flood_sleep_threshold=0, request_retries=1
    )
    return client


class TelegramChannelsSource:
    """Reads public channels by name. ``connect`` makes a client for one poll."""

    name = "tg_channels"
    keeps_text = True
    daily_budget: int | None = None

    def __init__(
        self,
        *,
        connect: Callable[[], Client],
        channels: Sequence[str],
        poll_every_s: float = POLL_EVERY_S,
        poll_max_s: float = POLL_MAX_S,
    ) -> None:
        self.poll_every_s = poll_every_s
        self._connect, self._channels, self._poll_max_s = connect, tuple(channels)[:CHANNELS_MAX], poll_max_s

    def read(
        self, *, cursor: Mapping[str, Any], topics: Sequence[Topic], budget_left: int | None, now_ms: int
    ) -> Reading:
        """Return what the channels brought since the cursor, whatever it is about."""
        library = telethon()
        try:
            return asyncio.run(asyncio.wait_for(self._read(library, cursor), self._poll_max_s))
        except library.errors.UnauthorizedError as error:
            raise SourceBlockedError("Telegram does not accept our session.", remedy=_ANEW) from error
        except library.errors.RPCError as error:
            raise BadDataError(f"Telegram refused: {error}", remedy="It is asked again by itself.") from error
        except (OSError, TimeoutError) as error:
            raise NetworkError("Telegram does not answer.", remedy="It is asked again by itself.") from error

    async def _read(self, library: ModuleType, cursor: Mapping[str, Any]) -> Reading:
        client = self._connect()
        known: dict[str, Any] = {name: cursor[name] for name in self._channels if name in cursor}
        posts: list[Post] = []
        unread: list[str] = []
        try:
            await client.connect()
            if not await client.is_user_authorized():
                raise SourceBlockedError("The Telegram session is not signed in.", remedy=_ANEW)
            for name in self._channels:
                try:
                    posts += await self._channel(library, client, name, known)
                except library.errors.FloodWaitError as error:
                    note = f"Telegram asks for {error.seconds} s of quiet"
                    return _reading(posts, known, note=note, rest_s=float(error.seconds))
                except (library.errors.BadRequestError, ValueError):  # no such name, or private: others go on
                    unread.append(name)
        finally:
            await client.disconnect()
        return _reading(posts, known, note=f"not read: {', '.join(unread)}" if unread else "")

    async def _channel(
        self, library: ModuleType, client: Client, name: str, known: dict[str, Any]
    ) -> list[Post]:
        if name not in known:
            found = await client.get_input_entity(name)
            if not isinstance(found, library.types.InputPeerChannel):
                raise ValueError(name)
            known[name] = {"id": found.channel_id, "hash": found.access_hash, "last": 0}
        at = known[name]
        last = int(at["last"])
        peer = library.types.InputPeerChannel(int(at["id"]), int(at["hash"]))
        # First the newest, to begin with; from then on the oldest unread, so that none is passed over.
        messages = await client.get_messages(
            peer, limit=MESSAGES_PER_CHANNEL_MAX, min_id=last, reverse=last > 0
        )
        known[name] = {**at, "last": max([last, *(item.id for item in messages)])}
        posts = [_post_of(item, name) for item in messages if getattr(item, "message", "")]
        return sorted(posts, key=lambda post: post.sent_at_ms)


def _reading(posts: Sequence[Post], known: Mapping[str, Any], *, note: str, rest_s: float = 0.0) -> Reading:
    return Reading(posts=tuple(posts), cursor=dict(known), note=note, rest_s=rest_s)


def _post_of(message: Any, channel: str) -> Post:
    author = getattr(message.from_id, "user_id", None)
    return Post(
        id=str(message.id),
        channel=channel,
        author_id=channel if author is None else str(author),
        text=str(message.message),
        sent_at_ms=int(message.date.timestamp() * 1_000),
    )
