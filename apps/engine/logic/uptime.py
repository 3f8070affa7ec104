"""For how much of a time something was up, from the stretches in which it gave signs of life. Times in UTC seconds."""

from __future__ import annotations

from collections.abc import Sequence

Stretch = tuple[int, int]

#: Older stretches are forgotten, and so are the oldest of too many.
KEPT_S = 24 * 3_600
STRETCHES_MAX = 200
_BPS_ONE = 10_000


def prolonged(stretches: Sequence[Stretch], *, now_s: int, gap_max_s: int) -> tuple[Stretch, ...]:
    """Return the stretches with a sign of life at ``now_s``: the last one goes on, unless it was silent for too long."""
    kept = [item for item in stretches if item[1] >= now_s - KEPT_S]
    if kept and 0 <= now_s - kept[-1][1] <= gap_max_s:
        kept[-1] = (kept[-1][0], now_s)
    elif not kept or now_s > kept[-1][1]:
        kept.append((now_s, now_s))
    return tuple(kept[-STRETCHES_MAX:])


def uptime_bps(stretches: Sequence[Stretch], *, now_s: int, window_s: int, gap_max_s: int) -> int | None:
    """Return the share of the window up to now that was covered, rounded down; None when nothing is known of it.

    The window begins no earlier than the first sign of life: before it there was nothing to be up. A stretch that may
    still go on counts up to now.
    """
    if not stretches:
        return None
    begin = max(now_s - window_s, stretches[0][0])
    if begin >= now_s:
        return _BPS_ONE if stretches[-1][1] >= now_s else None
    covered = 0
    for number, (first, last) in enumerate(stretches):
        is_last = number == len(stretches) - 1
        end = now_s if is_last and now_s - last <= gap_max_s else last
        covered += max(min(end, now_s) - max(first, begin), 0)
    return min(covered * _BPS_ONE // (now_s - begin), _BPS_ONE)
