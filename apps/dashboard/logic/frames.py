"""What a page must be sent so that it shows a panel's newest markup: only what has changed.

A panel's first element has an id. Inside it one element may be marked ``data-rows``; its children with ids are rows
that are replaced one by one while their order stays the same. Another may be marked ``data-part``: it is replaced by
itself.
"""

from __future__ import annotations

import hashlib
import re
from dataclasses import dataclass

_ROOT = re.compile(r"<[a-z]+[^>]*?\sid=\"([^\"]+)\"")
_CONTAINER = re.compile(r"<(tbody|ul|ol)(\s[^>]*?\bdata-rows\b[^>]*)>(.*?)</\1>", re.DOTALL)
_ROW = re.compile(r"<(tr|li)\s[^>]*?\bid=\"([^\"]+)\"[^>]*>.*?</\1>", re.DOTALL)
_PART = re.compile(r"<(nav|div)\s[^>]*?\bid=\"([^\"]+)\"[^>]*?\bdata-part\b[^>]*>.*?</\1>", re.DOTALL)
_ID = re.compile(r"\bid=\"([^\"]+)\"")
#: An age ticks in the browser, so a new text for it is no change.
_TICKING = re.compile(r"(<time\b[^>]*>)[^<]*")


@dataclass(frozen=True, slots=True)
class Shown:
    """What a page shows of a panel, by digests. ``rows`` are (id, digest) in their order."""

    shell: str
    rows: tuple[tuple[str, str], ...]
    part: str = ""


def frame(before: Shown | None, html: str) -> tuple[str, Shown]:
    """Return the markup to send ("" for nothing) and what the page shows then. ``before`` None: not known."""
    container = _CONTAINER.search(html)
    if container is None:
        after = Shown(_digest(html), ())
        return ("" if before == after else out_of_band(html)), after
    body = container.group(3)
    rows = {match.group(2): match.group(0) for match in _ROW.finditer(body)}
    shell = html[: container.start(3)] + _ROW.sub("", body) + html[container.end(3) :]
    part = _PART.search(shell)
    after = Shown(
        _digest(_PART.sub(r"<\1>", shell)),
        tuple((name, _digest(row)) for name, row in rows.items()),
        "" if part is None else _digest(part.group(0)),
    )
    if before is None or before.shell != after.shell:
        return out_of_band(html), after
    text = out_of_band(part.group(0)) if part is not None and before.part != after.part else ""
    if [name for name, _ in before.rows] == [name for name, _ in after.rows]:
        old = dict(before.rows)
        return text + "".join(
            out_of_band(rows[name]) for name, digest in after.rows if old[name] != digest
        ), after
    found = _ID.search(container.group(2))
    assert found is not None, container.group(2)
    tag = container.group(1)
    return _standing(f'<{tag} id="{found.group(1)}" hx-swap-oob="innerHTML">{body}</{tag}>') + text, after


def scattered(before: Shown | None, html: str) -> tuple[str, Shown]:
    """Return the markup to send of a panel whose elements say themselves where they belong."""
    after = Shown(_digest(html), ())
    return ("" if before == after else html), after


def out_of_band(html: str) -> str:
    """Return an element's markup told to replace the one with its id."""
    found = _ROOT.match(html)
    assert found is not None, html[:80]
    at = found.start(1) - len('id="')
    return _standing(f'{html[:at]}hx-swap-oob="true" {html[at:]}')


def _standing(html: str) -> str:
    """Return markup that may stand beside any other: parts of a table are lost outside one unless they are wrapped."""
    return f"<template>{html}</template>" if html.startswith(("<tr", "<tbody")) else html


def _digest(html: str) -> str:
    steady = _TICKING.sub(r"\1", html)
    return hashlib.blake2b(steady.encode(), digest_size=12).hexdigest()
