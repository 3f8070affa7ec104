"""The first look's round trips in our own process, for endpoints that cannot simulate them."""

from __future__ import annotations

from collections.abc import Sequence

from apps.chains.evm import simulate_local
from apps.chains.evm.probes import Accounts, TradePlay
from apps.chains.evm.probes_ground import Ground
from apps.chains.evm.simulate import Plan, pool_state
from apps.chains.evm.simulate_script import Script, Stage
from apps.domain.market import PoolReserves, RoundTrip
from apps.domain.probes import TradeName

#: The delay of a first look's trip -> the same trade as a probe.
_SAME: dict[int, TradeName] = {0: "same_block", 1: "intended_size"}


def trips_completed(
    trips: Sequence[RoundTrip],
    *,
    plan: Plan,
    stage: Stage,
    reserves: PoolReserves | None,
    url_http: str,
    chain_id: int,
    delays: frozenset[int],
) -> tuple[RoundTrip, ...]:
    """Return the trips, those of these ``delays`` that the node did not simulate played in our own process."""
    wanted = [trip for trip in trips if trip.stage == "unavailable" and trip.sell_delay_blocks in delays]
    if not wanted:
        return tuple(trips)
    play = TradePlay(
        ground=Ground(plan=plan, stage=stage, seed=f"{plan.block}:{plan.pool}"),
        reserves=pool_state(reserves),
        runner="pyrevm",
    )
    accounts: Accounts = simulate_local.scripts_told(url_http, play.first(), stage, chain_id=chain_id)
    learned = play.learned(accounts)
    names = {_SAME[trip.sell_delay_blocks] for trip in wanted}
    scripts: dict[str, Script] = {
        name: script for name, script in play.second(learned).items() if name in names
    }
    told = simulate_local.scripts_told(url_http, scripts, stage, chain_id=chain_id)
    ours = {probe.name: probe.trip for probe in play.probes(learned, {**accounts, **told}, instead={})}
    return tuple(ours[_SAME[trip.sell_delay_blocks]] if trip in wanted else trip for trip in trips)
