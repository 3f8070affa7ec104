"""Discord, a channel's webhook.

``POST <webhook>?wait=true`` (content, allowed_mentions, flags) answers the message with its id; 429 with ``retry_after`` in
seconds; 404 when the webhook was deleted. ``GET <webhook>`` tells its name. Source: Discord API documentation of 2026-08.
Never run against the live service by us.
"""

from __future__ import annotations

from apps.alerts.logic.notices import Notice, discord_markdown
from apps.alerts.transports.http import TellingHttp

_REMEDY = (
    "Make a new webhook in the channel's settings and put it into the environment: docs/alerts.md, Discord."
)
_NO_EMBEDS = 1 << 2


class DiscordTransport:
    """Tells one channel."""

    name = "discord"

    def __init__(self, *, webhook: str) -> None:
        self._http = TellingHttp(name="Discord", url=webhook)

    def send(self, notice: Notice) -> str:
        """Post to the channel; nobody is mentioned, nothing is unfolded."""
        answer = self._http.ask(
            "POST",
            "?wait=true",
            body={
                "content": discord_markdown(notice),
                "allowed_mentions": {"parse": []},
                "flags": _NO_EMBEDS,
            },
        )
        self._http.refuse(answer, remedy=_REMEDY)
        return str(answer.fields.get("id", ""))[:100]

    def check(self) -> str:
        """Ask for the webhook's name."""
        answer = self._http.ask("GET")
        self._http.refuse(answer, remedy=_REMEDY)
        return "answers"
