"""Telegram, Bot API: messages to one chat, commands from it.

``POST /bot<token>/sendMessage`` (chat_id, text, parse_mode, link_preview_options) answers
``{"ok": true, "result": {"message_id"}}``; a refusal is ``{"ok": false, "error_code", "description", "parameters":
{"retry_after"}?}`` with the same HTTP status. ``getUpdates`` (offset, timeout, allowed_updates) waits up to ``timeout``
seconds; asking with an offset confirms all updates before it. Source: Telegram Bot API 10.1. Never run against the live
service by us.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from apps.alerts.logic.notices import Notice, telegram_html
from apps.alerts.transports.http import READ_TIMEOUT_S, TellingHttp
from apps.alerts.transports.port import DeliveryFailedError

_REMEDY = "Check the bot's token and chat: docs/alerts.md, Telegram."
UPDATES_MAX = 100


class TelegramApi:
    """One bot's methods. Make one for each thread."""

    def __init__(self, *, base_url: str, token: str) -> None:
        self._http = TellingHttp(name="Telegram", url=f"{base_url.rstrip('/')}/bot{token}")

    def call(self, method: str, fields: Mapping[str, Any], *, timeout_s: float = READ_TIMEOUT_S) -> Any:
        """Return a method's result. Raises DeliveryFailedError, DeliveryRefusedError."""
        answer = self._http.ask("POST", f"/{method}", body=fields, timeout_s=timeout_s)
        self._http.refuse(answer, remedy=_REMEDY)
        if answer.fields.get("ok") is not True or "result" not in answer.fields:
            raise DeliveryFailedError(
                "Telegram answered in an unknown shape", remedy="It is tried again by itself."
            )
        return answer.fields["result"]

    def say(self, chat_id: int, html: str) -> str:
        """Send a message and return its number."""
        result = self.call(
            "sendMessage",
            {
                "chat_id": chat_id,
                "text": html,
                "parse_mode": "HTML",
                "link_preview_options": {"is_disabled": True},
            },
        )
        return str(result.get("message_id", "")) if isinstance(result, dict) else ""

    def updates(self, *, offset: int, wait_s: int) -> list[dict[str, Any]]:
        """Return the next updates, waiting for them so long."""
        result = self.call(
            "getUpdates",
            {"offset": offset, "timeout": wait_s, "limit": UPDATES_MAX, "allowed_updates": ["message"]},
            timeout_s=wait_s + READ_TIMEOUT_S,
        )
        if not isinstance(result, list):
            raise DeliveryFailedError(
                "Telegram answered in an unknown shape", remedy="It is asked again by itself."
            )
        return [item for item in result if isinstance(item, dict)]

    def name(self) -> str:
        """Return the bot's user name."""
        result = self.call("getMe", {})
        return str(result.get("username", "")) if isinstance(result, dict) else ""


class TelegramTransport:
    """Tells one chat. ``chat_of`` returns it at each message: pairing changes it."""

    name = "telegram"

    def __init__(self, *, api: TelegramApi, chat_of: Callable[[], int | None]) -> None:
        self._api, self._chat_of = api, chat_of

    def send(self, notice: Notice) -> str:
        """Send to the chat; without one it is tried again later."""
        chat_id = self._chat_of()
        if chat_id is None:
            raise DeliveryFailedError(
                "No chat is paired with the bot yet", remedy="Pair it on the Alerts page, or name a chat."
            )
        return self._api.say(chat_id, telegram_html(notice))

    def check(self) -> str:
        """Ask the bot for its name."""
        named = f"answers as @{self._api.name()}"
        return named if self._chat_of() is not None else f"{named}; no chat is paired yet"
