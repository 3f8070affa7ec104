"""Why no trade: how many pairs are left after each step of the road, and what stopped the others."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass

#: So many reasons are named at a step; the rest is counted together.
REASONS_MAX = 5


@dataclass(frozen=True, slots=True, kw_only=True)
class Group:
    """Opportunities that stand at the same place. ``stage`` is where they were refused or wait, "" for none yet."""

    status: str
    stage: str
    code: str
    explanation: str
    count: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Step:
    """One step: how many came so far, and why some went no further: (text, count, code)."""

    label: str
    count: int
    tone: str
    reasons: tuple[tuple[str, int, str], ...]


#: Stage at which a refusal happens -> the step whose count it is still part of.
_LEFT_AT = {"filter": 1, "risk": 2, "score": 3, "limit": 4, "engine": 4}
_LABELS = (
    "Seen",
    "Looked at",
    "Passed filters",
    "Passed risk rules",
    "Score high enough",
    "Ordered",
    "Bought",
)
_SEEN, _ORDERED = 0, 5
_NOT_YET = ("waiting", "evaluating")


def funnel(
    *,
    set_aside: Iterable[tuple[str, int, str]],
    groups: Iterable[Group],
    bought: int,
    orders_ended: Mapping[str, int],
) -> tuple[Step, ...]:
    """Return the steps from "seen" to "bought", each with the reasons of those that left after it.

    ``set_aside``: (text, count, code) of pairs that were refused when they were registered. ``orders_ended``: entries
    whose order came to nothing, by the order's status. Every pair seen is counted at exactly one place.
    """
    left: list[Counter[tuple[str, str]]] = [Counter() for _ in _LABELS]
    watched: Counter[int] = Counter()
    for text, number, code in set_aside:
        left[_SEEN][text, code] += number
    entered = 0
    for group in groups:
        at, text, code = _place(group)
        if at is None:
            entered += group.count
        else:
            left[at][text, code] += group.count
            if group.status in _NOT_YET and group.stage:
                watched[at] += group.count
    count = entered + sum(sum(counter.values()) for counter in left)
    for status, number in orders_ended.items():
        left[_ORDERED][f"order {status}", f"ORDER_{status.upper()}"] += number
    under_way = entered - bought - sum(orders_ended.values())
    if under_way > 0:
        left[_ORDERED]["on the way", "UNDER_WAY"] += under_way
    steps = []
    for index, label in enumerate(_LABELS):
        last = index == len(_LABELS) - 1
        steps.append(
            Step(
                label=label,
                count=bought if last else count,
                tone="good" if index >= _ORDERED else "info",
                reasons=_named(left[index], watched[index]),
            )
        )
        count -= sum(left[index].values())
    return tuple(steps)


def _place(group: Group) -> tuple[int | None, str, str]:
    """Return the step after which a group left and why; None for the step when its order was made."""
    if group.status == "entered":
        return None, "", ""
    if group.status == "quarantined":
        return 1, group.explanation or "set aside for a person", group.code or "QUARANTINED"
    at = _LEFT_AT.get(group.stage)
    if at is None:
        if group.status in _NOT_YET and not group.code:
            return _SEEN, "waiting for the first look", "WAITING"
        if group.code:  # its order came to nothing
            return _ORDERED, (group.explanation or group.code).rstrip("."), group.code
        return _SEEN, "nobody looked in time", "EXPIRED"
    return at, (group.explanation or group.code).rstrip("."), group.code


def _named(counter: Counter[tuple[str, str]], watched: int) -> tuple[tuple[str, int, str], ...]:
    ranked = counter.most_common()
    named = [(text, number, code) for (text, code), number in ranked[:REASONS_MAX]]
    rest = sum(number for _, number in ranked[REASONS_MAX:])
    if rest:
        named.append(("for other reasons", rest, "OTHER"))
    if watched:
        named.append(("of these are looked at again", watched, "WATCHED"))
    return tuple(named)
