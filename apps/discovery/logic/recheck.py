"""When a feed's pair that the chain did not confirm is asked about again."""

from __future__ import annotations

#: A pool that is absent for so long after its first sighting is not merely ahead of our endpoint.
ABSENT_IS_FALSE_AFTER_MS = 60_000


def is_recheck_due(*, first_seen_ms: int, checked_ms: int, now_ms: int) -> bool:
    """Tell whether to ask again: at once, then after as long as it has been known, so that the wait doubles each time."""
    return now_ms - checked_ms >= checked_ms - first_seen_ms


def is_absence_proof(*, first_seen_ms: int, now_ms: int) -> bool:
    """Tell whether a pool that the chain does not have contradicts the feed, rather than being too new to be seen."""
    return now_ms - first_seen_ms >= ABSENT_IS_FALSE_AFTER_MS
