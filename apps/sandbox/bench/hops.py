"""From a decision to its transaction at the node with everything in between: broker, worker process, commits.

One opportunity at a time on one chain, so that nothing waits for anything else: what remains are the hops themselves.
``bench execute`` has the same way within one process; beside it stand here the reads that no hop can take away.
"""

from __future__ import annotations

import time
from collections.abc import Sequence
from datetime import datetime
from itertools import pairwise
from typing import Any

from django.db.models import Max

from apps.domain.sending import SendQuestion
from apps.engine import wiring
from apps.sandbox.bench.ground import (
    follower_of,
    grounds,
    quantiles_of,
    refusals,
    workers_await,
)
from apps.trading.models import Opportunity, OpportunityStatus, Order, TxAttempt

#: The processes that do the work; ``bench`` starts and stops them.
WORKERS = ("broker", "evaluate", "execute")
TIME_MAX_S = 300

_ROUNDS, _WARM_UP = 24, 4
_ALONE = 12
_WAIT_MAX_S, _LOOK_EVERY_S = 10.0, 0.02


def run() -> dict[str, Any]:
    """Measure and return the report. Times are in milliseconds."""
    with grounds(1, works_here=False) as (ground,):
        workers_await(WORKERS)
        follower = follower_of(ground)
        for _ in range(_WARM_UP + _ROUNDS):
            newest = Opportunity.objects.aggregate(n=Max("id"))["n"] or 0
            ground.launch(1)
            follower.advance()
            _until_sent(newest)
        orders = list(Order.objects.select_related("decision", "opportunity").order_by("id"))[_WARM_UP:]
        alone = _alone_ms(ground.key, orders)
        told = _told(orders)
        figures = {**told, "orders": len(orders), "not_bought": refusals()}
    ratio = {}
    if alone and told["decided_to_sent_ms"].get("p50"):
        base = float(quantiles_of(alone)["p50"])
        ratio["decided_to_sent_p50_over_reads"] = round(float(told["decided_to_sent_ms"]["p50"]) / base, 2)
    return {
        "figures": figures,
        "baseline": {"reads_before_a_signature_ms": quantiles_of(alone)},
        "ratio": ratio,
    }


def _until_sent(newest: int) -> None:
    """Return once what came after ``newest`` was sent, refused or given up."""
    deadline = time.monotonic() + _WAIT_MAX_S
    mine = Opportunity.objects.filter(pk__gt=newest)
    while time.monotonic() < deadline:
        if TxAttempt.objects.filter(order__opportunity__in=mine, broadcast_at__isnull=False).exists():
            return
        if mine.filter(status=OpportunityStatus.REFUSED).exists():
            return
        time.sleep(_LOOK_EVERY_S)


def _alone_ms(chain_key: str, orders: Sequence[Order]) -> list[float]:
    """Read again what precedes a signature, here and warm: the part of the way that no hop can take away."""
    reader = wiring.chain_ports(chain_key).execution.reader
    owner = wiring.signer().address(orders[0].wallet_key) if orders else ""
    spent = []
    for _ in orders[:_ALONE]:
        started = time.perf_counter()
        reader.send_facts(SendQuestion(owner=owner))
        spent.append((time.perf_counter() - started) * 1_000)
    return spent


def _told(orders: Sequence[Order]) -> dict[str, Any]:
    swaps = {item.order_id: item for item in TxAttempt.objects.filter(order__in=orders, purpose="swap")}
    stretches: dict[str, list[float]] = {
        name: []
        for name in (
            *("decided_to_ordered_ms", "ordered_to_claimed_ms", "claimed_to_signed_ms", "signed_to_sent_ms"),
            *("decided_to_sent_ms", "found_to_decided_ms"),
        )
    }
    for order in orders:
        swap = swaps.get(order.pk)
        if swap is None or swap.broadcast_at is None or order.claimed_at is None:
            continue
        moments = (
            *(order.decision.created_at, order.created_at, order.claimed_at),
            *(swap.signed_at, swap.broadcast_at),
        )
        names = list(stretches)
        for name, (start, end) in zip(names[:4], pairwise(moments), strict=True):
            stretches[name].append(_ms(start, end))
        stretches["decided_to_sent_ms"].append(_ms(moments[0], moments[-1]))
        stretches["found_to_decided_ms"].append(_ms(order.opportunity.created_at, moments[0]))
    return {name: quantiles_of(spent) for name, spent in stretches.items()}


def _ms(start: datetime, end: datetime) -> float:
    return (end - start).total_seconds() * 1_000
