"""How much memory watching a position takes: a process that judges 10, 100 and 1,000 of them at each block.

The positions beyond the bought ones are copies of their rows, on the same pools: what is measured is the watching.
"""

from __future__ import annotations

import gc
import resource
import time
import tracemalloc
from pathlib import Path
from typing import Any

from django.utils import timezone

from apps.engine import road, wiring
from apps.sandbox.bench.ground import (
    Ground,
    created_orders,
    follower_of,
    grounds,
    messages_forget,
    waiting_opportunities,
)
from apps.trading.models import Opportunity, OpportunityStatus, Order, Position
from apps.trading.services.execution import order_execute
from apps.trading.services.exits import exits_evaluate

_POOLS = 10
_SIZES = (10, 100, 1_000)
_PASSES = 3
_PAGE_BYTES = resource.getpagesize()


def run() -> dict[str, Any]:
    """Watch more and more positions; return the report. Sizes are in KiB, times in milliseconds."""
    with grounds(1) as (ground,):
        _buy(ground)
        _watch(ground)  # what is loaded once counts for nobody
        held: dict[str, float] = {}
        spent: dict[str, float] = {}
        peaks: dict[str, float] = {}
        for size in _SIZES:
            _copies(size)
            started = time.perf_counter()
            for _ in range(_PASSES):
                _watch(ground)
            spent[str(size)] = round((time.perf_counter() - started) * 1_000 / _PASSES, 1)
            gc.collect()
            held[str(size)] = round(_resident_kib())
            peaks[str(size)] = round(_peak_kib(ground))
    first, last = str(_SIZES[0]), str(_SIZES[-1])
    more = _SIZES[-1] - _SIZES[0]
    each = (held[last] - held[first]) / more
    peak_each = (peaks[last] - peaks[first]) / more
    return {
        "figures": {
            "resident_kib": held,
            "resident_kib_per_position": round(each, 1),
            "peak_of_a_pass_kib": peaks,
            "peak_kib_per_position": round(peak_each, 1),
            "pass_ms": spent,
            "pools": _POOLS,
            "copies_of_positions": True,
        },
        "baseline": {"allowed_kib_per_position": 2_048},
        "ratio": {"of_what_is_allowed": round(max(each, peak_each) / 2_048, 4)},
    }


def _buy(ground: Ground) -> None:
    follower = follower_of(ground)
    ground.launch(_POOLS)
    follower.advance()
    for opportunity_id in waiting_opportunities():
        road.evaluate(opportunity_id)
    ports = wiring.chain_ports(ground.key).execution
    for order_id in created_orders(ground.key):
        order_execute(order_id=order_id, ports=ports, worker="bench")
    ground.mine()
    for order_id in Order.objects.filter(status="submitted").values_list("pk", flat=True):
        road.settle(order_id)
    messages_forget()


def _copies(size: int) -> None:
    """Add copies of the bought positions until there are ``size``."""
    bought = list(Position.objects.filter(status="open").order_by("id")[:_POOLS])
    assert bought, "nothing was bought"
    now = timezone.now()
    for number in range(Position.objects.filter(status="open").count(), size):
        copy = bought[number % len(bought)]
        trace_id = f"{number:032x}"
        copy.opportunity = Opportunity.objects.create(
            trace_id=trace_id,
            pair_id=copy.pair_id,
            number=number + 2,
            source="chain",
            status=OpportunityStatus.ENTERED,
            evaluate_after=now,
            give_up_at=now,
            created_at=now,
            updated_at=now,
        )
        copy.pk, copy.trace_id = None, trace_id
        copy.save(force_insert=True)


def _watch(ground: Ground) -> None:
    ports = wiring.chain_ports(ground.key).execution
    exits_evaluate(chain_key=ground.key, ports=ports, head=ports.reader.head())


def _peak_kib(ground: Ground) -> float:
    """Return the most that one pass holds at once, as Python counts it."""
    tracemalloc.start()
    try:
        _watch(ground)
        return tracemalloc.get_traced_memory()[1] / 1_024
    finally:
        tracemalloc.stop()


def _resident_kib() -> float:
    """Return the memory that the process holds now; where the system does not say, the most it ever held."""
    try:
        pages = int(Path("/proc/self/statm").read_text(encoding="ascii").split()[1])
    except OSError:
        return float(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss)
    return pages * _PAGE_BYTES / 1_024
