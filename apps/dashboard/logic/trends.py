"""Whether something happens more or less often than before."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Literal

Trend = Literal["new", "more", "as before", "less", "none"]
#: Below so many in both halves a difference is chance.
_FEW = 3


def hourly(ages_s: Sequence[int], *, hours: int) -> tuple[int, ...]:
    """Return how many fell into each of the last so many hours, oldest first; what is older or to come is left out."""
    counts = [0] * hours
    for age in ages_s:
        if 0 <= age < hours * 3_600:
            counts[hours - 1 - age // 3_600] += 1
    return tuple(counts)


def trend_of(counts: Sequence[int]) -> Trend:
    """Compare the newer half of the counts with the older one: twice as many is more, half as many is less."""
    half = len(counts) // 2
    before, after = sum(counts[:half]), sum(counts[half:])
    if not before and not after:
        return "none"
    if not before:
        return "new"
    if max(before, after) < _FEW:
        return "as before"
    if after >= 2 * before:
        return "more"
    return "less" if before >= 2 * after else "as before"
