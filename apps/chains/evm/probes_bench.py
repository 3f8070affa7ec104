"""How long a bare buy–approve–sell takes in an EVM of our own process: the yardstick for the full assessment."""

from __future__ import annotations

import time

from apps.chains.evm.probes_ground import Ground
from apps.chains.evm.simulate import Plan
from apps.chains.evm.simulate_local import bare_runner
from apps.chains.evm.simulate_script import Scene, Stage

WARM_RUNS = 5


def bare_round_trip_ms(
    url_http: str, plan: Plan, stage: Stage, *, received_raw: int, runs: int, chain_id: int
) -> float:
    """Return the milliseconds of one buy–approve–sell, state fetched beforehand, averaged over ``runs``."""
    ground = Ground(plan=plan, stage=stage, seed="bench")
    steps = (
        ground.buy(plan.buyer, plan.amount_in_raw),
        ground.approve(plan.buyer, received_raw),
        ground.sell(plan.buyer, received_raw),
    )
    script = ground.script([Scene(ahead=1, steps=steps)], paying_raw=plan.amount_in_raw)
    run = bare_runner(url_http, script, stage, chain_id=chain_id)
    for _ in range(WARM_RUNS):
        run()
    started = time.perf_counter()
    for _ in range(runs):
        run()
    return (time.perf_counter() - started) * 1_000 / runs
