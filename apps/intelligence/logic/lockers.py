"""How much of a pool is locked, and for how long."""

from __future__ import annotations

from apps.domain.estimate import Estimate
from apps.domain.locks import LiquidityLock
from apps.domain.money import BPS_ONE
from apps.intelligence.logic.subject import Subject, share_down_bps

#: Locks that end first and together hold no more than this share of the pool are let pass: anybody can lock a speck for
#: a moment in somebody else's pool.
SPECK_BPS = 100
#: Shares at unverified lockers up to this share of the pool count as free to be taken out; more make it unknown.
UNVERIFIED_MAX_BPS = 100
_MS = 1_000


def estimates(subject: Subject) -> tuple[Estimate, ...]:
    """Return lp_locked_bps and, where something is locked, lp_locked_until_s: seconds until more than a speck is free."""
    facts = subject.facts
    total, locked = facts.lp_total_supply_raw, facts.lp_locked_raw
    if total is None or locked is None:
        return (subject.absent("lp_locked_bps", "lp_total_supply_raw", "lp_locked_raw", unit="bps"),)
    share = share_down_bps(locked, total)
    if share is None:
        reason = "nobody has added liquidity yet" if total == 0 else "the figures contradict each other"
        return (subject.unknown("lp_locked_bps", reason, unit="bps"),)
    stated = subject.known("lp_locked_bps", share, unit="bps")
    return (stated,) if locked == 0 else (stated, _until(subject, total))


def _until(subject: Subject, total: int) -> Estimate:
    locks = subject.facts.lp_locks
    ends_at_s = None if locks is None else first_end_s(locks, total_raw=total)
    if ends_at_s is None:
        return subject.absent("lp_locked_until_s", "lp_lock_times", unit="s")
    left_s = max(0, ends_at_s - subject.facts.block.at_ms // _MS)
    return subject.known("lp_locked_until_s", left_s, unit="s", n=len(locks or ()))


def first_end_s(locks: tuple[LiquidityLock, ...], *, total_raw: int) -> int | None:
    """Return when (unix seconds) more than a speck of the pool will be out of its locks; the last end where all of them
    are a speck, None when there is no lock.
    """
    ended_raw, end_s = 0, None
    for lock in sorted(locks, key=lambda item: item.unlock_at_s):
        ended_raw, end_s = ended_raw + lock.amount_raw, lock.unlock_at_s
        if ended_raw * BPS_ONE > total_raw * SPECK_BPS:
            break
    return end_s
