"""How often: what waits for its rule's window, and when a failed delivery is tried again."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

#: Seconds before the second, third … try; after the last the delivery has failed.
BACKOFF_S = (5, 20, 60, 300, 900, 1_800, 3_600)
TRIES_MAX = len(BACKOFF_S) + 1
RETRY_AFTER_MAX_S = 3_600


@dataclass(frozen=True, slots=True, kw_only=True)
class Waiting:
    """An alert that was not told yet, or has grown since."""

    number: int
    rule: str
    is_critical: bool
    at_ms: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Telling:
    """One message about ``number``; ``others`` have waited with it and are told in the same one."""

    number: int
    others: tuple[int, ...] = ()


def tellings(
    waiting: tuple[Waiting, ...],
    *,
    told_ms: Mapping[str, int],
    windows_s: Mapping[str, int],
    now_ms: int,
) -> tuple[Telling, ...]:
    """Return what is told now: of each rule whose window has passed one message, the worst and newest in front.

    ``told_ms``: when each rule was last told of. A rule without a window tells of each by itself.
    """
    by_rule: dict[str, list[Waiting]] = {}
    for item in waiting:
        by_rule.setdefault(item.rule, []).append(item)
    found: list[Telling] = []
    for rule, items in by_rule.items():
        window_ms = windows_s[rule] * 1_000
        items.sort(key=lambda item: (not item.is_critical, -item.at_ms, -item.number))
        if window_ms == 0:
            found += [Telling(number=item.number) for item in reversed(items)]
        elif now_ms - told_ms.get(rule, -window_ms) >= window_ms:
            first, *others = items
            found.append(Telling(number=first.number, others=tuple(item.number for item in others)))
    return tuple(found)


def next_try_s(attempts: int, *, asked_s: int | None = None) -> int | None:
    """Return seconds until the next try after so many, None when there is none. ``asked_s``: what the other side asks."""
    if attempts >= TRIES_MAX:
        return None
    own = BACKOFF_S[max(attempts, 1) - 1]
    return own if asked_s is None else max(own, min(asked_s, RETRY_AFTER_MAX_S))
