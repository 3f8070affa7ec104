"""From a block with new pairs to their opportunities in the queue."""

from __future__ import annotations

import time
from typing import Any

from apps.engine import wiring
from apps.sandbox.bench.ground import Ground, follower_of, grounds, messages_forget, quantiles_of
from apps.trading.models import Opportunity

_ROUNDS, _PAIRS = 10, 5


def run() -> dict[str, Any]:
    """Measure and return the report. Times are in milliseconds."""
    with grounds(1) as (ground,):
        follower = follower_of(ground)
        ground.launch(1)
        follower.advance()
        before = Opportunity.objects.count()
        spent, bare = [], []
        for _ in range(_ROUNDS):
            head = _head(ground)
            ground.launch(_PAIRS)
            bare.append(_bare_ms(ground, head + 1))
            started = time.perf_counter()
            follower.advance()
            spent.append((time.perf_counter() - started) * 1_000)
            messages_forget()
        found = Opportunity.objects.count() - before
    block, base = quantiles_of(spent), quantiles_of(bare)
    return {
        "figures": {
            "block_to_queue_ms": block,
            "pairs_per_block": _PAIRS,
            "pairs_created": _ROUNDS * _PAIRS,
            "pairs_found": found,
        },
        "baseline": {"bare_logs_ms": base},
        "ratio": {"block_to_queue_p50_over_bare": round(float(block["p50"]) / float(base["p50"]), 1)},
    }


def _head(ground: Ground) -> int:
    return int(ground.rpc.call("eth_blockNumber"), 16)


def _bare_ms(ground: Ground, first: int) -> float:
    """Ask for the factory's events of the new blocks, and nothing more."""
    source = wiring.chain_ports(ground.key).sources[0]
    started = time.perf_counter()
    ground.rpc.call("eth_getLogs", {**source.log_filter, "fromBlock": hex(first), "toBlock": "latest"})
    return (time.perf_counter() - started) * 1_000
