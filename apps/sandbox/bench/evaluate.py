"""Many opportunities at once: a hundred decided and ordered, and a thousand in the queue of which none may be lost.

The threads are as many as the two workers have together for these queues.
"""

from __future__ import annotations

import threading
import time
from collections import Counter
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from typing import Any

from django.db import close_old_connections
from django.db.models import F
from django.utils import timezone

from apps.engine import road
from apps.sandbox.bench.ground import (
    Ground,
    follower_of,
    grounds,
    quantiles_of,
    refusals,
    waiting_opportunities,
)
from apps.trading.models import Opportunity, OpportunityStatus, Order
from apps.trading.services.opportunities import (
    EVALUATION_STALE_S,
    opportunities_due,
    opportunities_recover,
    opportunity_claim,
)

_AT_ONCE, _QUEUED = 100, 1_000
_THREADS = 4
_DROPPED = 50  # of these the worker dies in the middle
_CLAIMS_MAX = 3 * _QUEUED


def run() -> dict[str, Any]:
    """Measure and return the report. Times are in milliseconds unless they end in ``_s``."""
    with grounds() as laid:
        _launch(laid)
        ids = waiting_opportunities()
        singly = _timed(road.evaluate, ids[:5])
        started = time.perf_counter()
        spent = _at_once(road.evaluate, ids[5:])
        decided_s = time.perf_counter() - started
        orders = list(Order.objects.filter(status="created").values_list("pk", flat=True))
        started = time.perf_counter()
        _at_once(road.execute, orders)
        sent_s = time.perf_counter() - started
        figures = {
            "at_once": len(ids) - 5,
            "chains": len(laid),
            "threads": _THREADS,
            "all_decided_s": round(decided_s, 2),
            "orders": len(orders),
            "all_sent_after_s": round(sent_s, 2),
            "sent": Order.objects.filter(status="submitted").count(),
            "evaluate_ms": quantiles_of(spent),
            "not_bought": refusals(),
            "queue": _queue(ids[0]),
        }
    alone = quantiles_of(singly)
    return {
        "figures": figures,
        "baseline": {"evaluate_alone_ms": alone},
        "ratio": {"each_of_many_over_alone": round(decided_s * 1_000 / len(spent) / float(alone["p50"]), 2)},
    }


def _launch(laid: Sequence[Ground]) -> None:
    for number, ground in enumerate(laid):
        follower = follower_of(ground)
        ground.launch((_AT_ONCE + 5) // len(laid) + (number < (_AT_ONCE + 5) % len(laid)))
        follower.advance()


def _timed(act: Callable[[int], object], ids: Sequence[int]) -> list[float]:
    spent = []
    for row_id in ids:
        started = time.perf_counter()
        act(row_id)
        spent.append((time.perf_counter() - started) * 1_000)
    return spent


def _at_once(act: Callable[[int], object], ids: Sequence[int]) -> list[float]:
    """Do it for all rows, each thread taking the next one; return how long each took."""

    def one(row_id: int) -> float:
        close_old_connections()
        started = time.perf_counter()
        act(row_id)
        return (time.perf_counter() - started) * 1_000

    with ThreadPoolExecutor(_THREADS) as pool:
        return list(pool.map(one, ids))


def _queue(opportunity_id: int) -> dict[str, Any]:
    """Queue a thousand, take them from several threads, let some workers die; each must be taken, and by one at a time."""
    Opportunity.objects.filter(status=OpportunityStatus.WAITING).update(status=OpportunityStatus.REFUSED)
    now, pair_id = timezone.now(), Opportunity.objects.get(pk=opportunity_id).pair_id
    made = Opportunity.objects.bulk_create(
        Opportunity(
            trace_id=f"{number:032x}",
            pair_id=pair_id,
            number=number + 2,
            source="chain",
            evaluate_after=now,
            give_up_at=now + timedelta(hours=1),
            created_at=now,
            updated_at=now,
        )
        for number in range(_QUEUED)
    )
    ids = [row.pk for row in made]
    started = time.perf_counter()
    first = _taken()
    took_s = time.perf_counter() - started
    dropped = ids[:_DROPPED]
    Opportunity.objects.filter(pk__in=ids).exclude(pk__in=dropped).update(status=OpportunityStatus.REFUSED)
    Opportunity.objects.filter(pk__in=dropped).update(
        claimed_at=F("claimed_at") - timedelta(seconds=EVALUATION_STALE_S + 1)
    )
    opportunities_recover()
    second = _taken()
    return {
        "queued": len(ids),
        "taken": len(first),
        "taken_twice": sum(count > 1 for count in first.values()),
        "lost": len(set(ids) - set(first)),
        "workers_died_over": len(dropped),
        "taken_again": len(second),
        "lost_again": len(set(dropped) - set(second)),
        "take_all_s": round(took_s, 2),
    }


def _taken() -> Counter[int]:
    """Let all threads take what is due until nothing is; return how often each was taken."""
    taken: Counter[int] = Counter()
    lock = threading.Lock()

    def work(_: int) -> None:
        for _claim in range(_CLAIMS_MAX):
            due = opportunities_due(limit=20)
            if not due:
                break
            for row_id in due:
                if opportunity_claim(opportunity_id=row_id):
                    with lock:
                        taken[row_id] += 1
        close_old_connections()

    with ThreadPoolExecutor(_THREADS) as pool:
        list(pool.map(work, range(_THREADS)))
    return taken
