"""What is said, and how it is written for each way. Words of strangers (names of tokens, reasons) are made harmless here.

Nothing that a stranger wrote may format, mention, link or open anything: Telegram gets escaped HTML, Discord escaped
Markdown with mentions switched off, mail plain text on single header lines, a webhook JSON.
"""

from __future__ import annotations

import html
import re
from dataclasses import asdict, dataclass
from datetime import UTC, datetime, timedelta
from typing import Any, Literal

from apps.domain.foreign_text import clean_sentence

Kind = Literal["raised", "resolved", "test"]
TITLE_LENGTH_MAX = 200
TEXT_LENGTH_MAX = 1_500
#: Telegram takes 4,096 characters after parsing, so its parts are bounded; Discord takes 2,000 as they are sent.
TELEGRAM_TEXT_MAX, TELEGRAM_REMEDY_MAX = 1_000, 400
DISCORD_LENGTH_MAX = 1_900
#: What waits together is named up to so many.
NAMED_MAX = 5
_BREAK = "\u200b"  # takes no room
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_SIGNS = {"critical": "🔴", "warning": "🟠", "info": "🔵"}
_MARKDOWN = re.compile(r"([\\*_~`|>#\[\]()\-+!<:])")
#: A dot or slash between letters makes programs link words: "scam.example", "t.me/x".
_LINKING = re.compile(r"(?<=[^\W\d_])([./])(?=[^\W\d_])|(?<=\w)(\.)(?=[^\W\d_]{2})|(://)|(@)", re.UNICODE)


@dataclass(frozen=True, slots=True, kw_only=True)
class Notice:
    """One thing said. ``number`` is the delivery's: the other side knows a repeat by it. ``mode`` marks simulated money."""

    kind: Kind
    rule: str
    severity: str
    title: str
    text: str
    remedy: str
    link: str
    at_ms: int
    mode: str
    count: int = 1
    number: int = 0

    def to_json(self) -> dict[str, Any]:
        """Return the notice as plain JSON."""
        return asdict(self)

    @classmethod
    def of_json(cls, fields: dict[str, Any], *, number: int) -> Notice:
        """Return a stored notice."""
        return cls(**(fields | {"number": number}))


@dataclass(frozen=True, slots=True, kw_only=True)
class Mail:
    """A plain message."""

    subject: str
    body: str


def harmless(text: str, length_max: int = TEXT_LENGTH_MAX) -> str:
    """Return text on one line, without what deceives the eye, that no program makes a link or a mention of."""
    unlinked = _LINKING.sub(lambda found: f"{found.group(0)}{_BREAK}", clean_sentence(text, length_max))
    return unlinked.replace(f"manage.{_BREAK}py", "manage.py")  # a command is there to be copied


def together(titles: tuple[str, ...]) -> str:
    """Return in words what else waited to be told."""
    named = "; ".join(clean_sentence(title, TITLE_LENGTH_MAX) for title in titles[:NAMED_MAX])
    more = len(titles) - NAMED_MAX
    return f"{len(titles)} more: {named}" + (f"; and {more} others" if more > 0 else "")


def headline(notice: Notice) -> str:
    """Return the first line, cleaned but not escaped."""
    mark = f"[{notice.mode.upper()}] "
    word = {"raised": "", "resolved": "Over: ", "test": "Test: "}[notice.kind]
    times = f" ({notice.count} times)" if notice.count > 1 else ""
    return f"{mark}{word}{harmless(notice.title, TITLE_LENGTH_MAX)}{times}"


def telegram_html(notice: Notice) -> str:
    """Return the message in Telegram's HTML, all outside text escaped."""
    parts = [f"{_sign(notice)} <b>{html.escape(headline(notice))}</b>"]
    if notice.text:
        parts.append(html.escape(harmless(notice.text, TELEGRAM_TEXT_MAX)))
    if notice.remedy and notice.kind == "raised":
        parts.append(f"<i>What to do:</i> {html.escape(harmless(notice.remedy, TELEGRAM_REMEDY_MAX))}")
    parts.append(f"{_clock(notice)} UTC" + (f" · {html.escape(notice.link)}" if notice.link else ""))
    return "\n".join(parts)


def discord_markdown(notice: Notice) -> str:
    """Return the message in Discord's Markdown, all outside text escaped."""
    parts = [f"{_sign(notice)} **{_markdown(headline(notice))}**"]
    if notice.text:
        parts.append(_markdown(harmless(notice.text, 900)))
    if notice.remedy and notice.kind == "raised":
        parts.append(f"*What to do:* {_markdown(harmless(notice.remedy, 400))}")
    last = f"{_clock(notice)} UTC" + (f" · <{notice.link}>" if notice.link else "")
    return "\n".join(parts)[: DISCORD_LENGTH_MAX - len(last)].rstrip("\\") + f"\n{last}"


def mail(notice: Notice) -> Mail:
    """Return the message as plain text."""
    lines = [headline(notice), "", harmless(notice.text)]
    if notice.remedy and notice.kind == "raised":
        lines += ["", f"What to do: {harmless(notice.remedy)}"]
    lines += ["", f"{_clock(notice)} UTC, rule {notice.rule}, {notice.severity}", notice.link]
    return Mail(subject=headline(notice)[:TITLE_LENGTH_MAX], body="\n".join(lines).rstrip() + "\n")


def webhook_fields(notice: Notice) -> dict[str, Any]:
    """Return what a webhook gets. The words are data there and stand as they are, cleaned of hidden characters."""
    return {
        "version": 1,
        "id": notice.number,
        "kind": notice.kind,
        "rule": notice.rule,
        "severity": notice.severity,
        "title": clean_sentence(notice.title, TITLE_LENGTH_MAX),
        "text": clean_sentence(notice.text, TEXT_LENGTH_MAX),
        "remedy": clean_sentence(notice.remedy, TEXT_LENGTH_MAX),
        "link": notice.link,
        "at": (_EPOCH + timedelta(milliseconds=notice.at_ms)).isoformat(timespec="milliseconds"),
        "mode": notice.mode,
        "simulated": notice.mode == "sandbox",
        "count": notice.count,
    }


def _sign(notice: Notice) -> str:
    return {"resolved": "🟢", "test": "⚪"}.get(notice.kind) or _SIGNS[notice.severity]


def _markdown(text: str) -> str:
    return _MARKDOWN.sub(r"\\\1", text)


def _clock(notice: Notice) -> str:
    return f"{_EPOCH + timedelta(milliseconds=notice.at_ms):%Y-%m-%d %H:%M:%S}"
