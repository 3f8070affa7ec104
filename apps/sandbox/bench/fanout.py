"""A hundred opportunities at once over all chains, then a thousand in the queue, with the workers as processes of their own.

Messages travel through the broker. Of the thousand every message is thrown away: the rows alone must bring them home.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime
from typing import Any

from django.db import close_old_connections
from django.db.models import Count, Max, Min
from django.utils import timezone

from apps.engine import sweep
from apps.engine.road import guarded
from apps.sandbox.bench.ground import (
    Ground,
    follower_of,
    grounds,
    messages_forget,
    quantiles_of,
    refusals,
    workers_await,
)
from apps.trading.models import DecisionRecord, Opportunity, OpportunityStatus, Order, TxAttempt

#: The processes that do the work; ``bench`` starts and stops them.
WORKERS = ("broker", "evaluate", "execute")
#: Launching a thousand tokens and judging them takes minutes on two cores.
TIME_MAX_S = 900

AT_ONCE, QUEUED = 100, 1_000
_WARM_UP = 6  # of each chain
_LIMIT_S = 15
_BURST_MAX_S, _QUEUE_MAX_S = 90.0, 420.0
_SWEEP_EVERY_S, _LOOK_EVERY_S, _FOLLOW_EVERY_S = 1.0, 0.1, 5.0
_OVER = (OpportunityStatus.EXPIRED, OpportunityStatus.QUARANTINED)


def run() -> dict[str, Any]:
    """Measure and return the report. Times are in seconds from the moment the listener reads the blocks."""
    with grounds(works_here=False) as laid, _swept():
        workers_await(WORKERS)
        followers = {ground.key: follower_of(ground) for ground in laid}
        _round(laid, followers, count=_WARM_UP * len(laid), limit_s=_BURST_MAX_S)
        burst = _round(laid, followers, count=AT_ONCE, limit_s=_BURST_MAX_S)
        burst["within_15_s"] = burst["lost"] == 0 and burst["all_ordered_s"] <= _LIMIT_S
        queue = _round(laid, followers, count=QUEUED, limit_s=_QUEUE_MAX_S, forget_messages=True)
        figures = {
            "chains": len(laid),
            "at_once": burst,
            "queued": queue,
            "double_sends": _double_sends(),
            "not_bought": refusals(),
        }
    return {
        "figures": figures,
        "baseline": {"allowed_s": _LIMIT_S},
        "ratio": {"of_what_is_allowed": round(burst["all_ordered_s"] / _LIMIT_S, 3)},
    }


def _round(
    laid: tuple[Ground, ...],
    followers: dict[str, Any],
    *,
    count: int,
    limit_s: float,
    forget_messages: bool = False,
) -> dict[str, Any]:
    """Launch ``count`` tokens, let every chain's lane read them at once, wait until each was decided; tell how it went."""
    newest = Opportunity.objects.aggregate(n=Max("id"))["n"] or 0
    for number, ground in enumerate(laid):
        ground.launch(count // len(laid) + (number < count % len(laid)))
    started, clock = timezone.now(), time.monotonic()
    lanes = [threading.Thread(target=_read, args=(followers[ground.key],)) for ground in laid]
    for lane in lanes:
        lane.start()
    for lane in lanes:
        lane.join()
    if forget_messages:
        messages_forget()
    mine = Opportunity.objects.filter(pk__gt=newest)
    looked_at = time.monotonic()
    while time.monotonic() - clock < limit_s and not _is_over(mine, count):
        time.sleep(_LOOK_EVERY_S)
        if time.monotonic() - looked_at > _FOLLOW_EVERY_S:  # a chain that nobody follows is not entered
            looked_at = time.monotonic()
            for follower in followers.values():
                follower.advance()
    return _told(mine, count, started)


def _read(follower: Any) -> None:
    follower.advance()
    close_old_connections()


def _is_over(mine: Any, count: int) -> bool:
    """Tell whether each was decided at least once, and every order that came of it was sent or has ended."""
    decided = mine.filter(decisions__isnull=False).values("pk").distinct().count()
    if decided + mine.filter(status__in=_OVER, decisions=None).count() < count:
        return False
    return not Order.objects.filter(
        opportunity__in=mine, status__in=("created", "claimed", "signed")
    ).exists()


def _told(mine: Any, count: int, started: datetime) -> dict[str, Any]:
    first = dict(
        DecisionRecord.objects.filter(opportunity__in=mine)
        .values_list("opportunity")
        .annotate(at=Min("created_at"))
    )
    orders = Order.objects.filter(opportunity__in=mine)
    sends = TxAttempt.objects.filter(order__in=orders, broadcast_at__isnull=False)
    ordered_at = list(orders.values_list("created_at", flat=True))
    sent_at = list(sends.values_list("broadcast_at", flat=True))
    hops = [
        (sent - decided).total_seconds() * 1_000
        for sent, decided in sends.values_list("broadcast_at", "order__decision__created_at")
        if sent is not None
    ]
    return {
        "opportunities": mine.count(),
        "decided": len(first),
        "ordered": len(ordered_at),
        "sent": len(sent_at),
        "lost": count - len(first),  # without a decision, whatever became of it
        "outcomes": dict(mine.values_list("status").annotate(n=Count("id")).order_by()),
        "all_decided_s": _seconds(started, first.values()),
        "all_ordered_s": _seconds(started, ordered_at),
        "all_sent_s": _seconds(started, sent_at),
        "decided_to_sent_ms": quantiles_of(hops),
    }


def _seconds(started: datetime, moments: Any) -> float:
    return round(max(((at - started).total_seconds() for at in moments), default=0.0), 2)


def _double_sends() -> int:
    """Count the opportunities with two entries on their way."""
    sent = Order.objects.filter(side="buy", attempts__status__in=("sent", "mined"))
    return sent.values("opportunity").annotate(n=Count("id", distinct=True)).filter(n__gt=1).count()


@contextmanager
def _swept() -> Iterator[None]:
    """Sweep as the listener does, which is not among the processes: blocks are read here."""
    over = threading.Event()

    def work() -> None:
        while not over.wait(_SWEEP_EVERY_S):
            close_old_connections()
            with guarded("bench/sweep"):
                sweep.sweep_all()

    thread = threading.Thread(target=work, name="sweep")
    thread.start()
    try:
        yield
    finally:
        over.set()
        thread.join()
