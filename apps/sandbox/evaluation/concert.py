"""How well wash trading and pumps are told on a living sandbox chain, whose truth is known: who trades as what.

The deciding code reads the chain alone; only this measurement knows the actors. The market is simulated, so its figures say
whether the code works from log to alarm, and little about real rings.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass

from apps.domain.entities import Trade
from apps.domain.ids import ChainKey, pair_key_of, trace_id_of
from apps.domain.market import BlockRef, Listing
from apps.domain.money import Token
from apps.domain.ports import ChainReader
from apps.intelligence.logic.coordination import concert
from apps.intelligence.logic.crowd import Crowd
from apps.intelligence.logic.entities import Reading, entities_of
from apps.intelligence.logic.pumps import PumpReport, pump_report
from apps.intelligence.logic.wash import ENTITIES_MIN, SWAPS_MIN, Class, WashReport, wash_report
from apps.intelligence.services.entities import trades_of
from apps.sandbox.life import ChainLife, Running

#: A ring that made fewer swaps in a pool cannot be told from chance, and is not asked for.
RING_SWAPS_MIN = 6
#: A group that bought with fewer wallets in one block made no rush.
GROUP_MIN = 5


@dataclass(slots=True)
class ConcertFound:
    """Counts over all pools with enough swaps."""

    pools: int = 0
    swaps: int = 0
    ring_pools: int = 0
    ring_swaps: int = 0
    washed_right: int = 0
    washed_wrong: int = 0
    ring_pools_found: int = 0
    calm_pools: int = 0
    calm_pools_alarmed: int = 0
    rushes: int = 0
    rushes_found: int = 0
    rush_alarms: int = 0
    rush_alarms_right: int = 0

    @property
    def wash_recall(self) -> float | None:
        """Return the share of the rings' swaps that were found."""
        return _share(self.washed_right, self.ring_swaps)

    @property
    def wash_precision(self) -> float | None:
        """Return the share of the swaps taken for washed that are a ring's."""
        return _share(self.washed_right, self.washed_right + self.washed_wrong)

    @property
    def pump_recall(self) -> float | None:
        """Return the share of the group's rushes that raised an alarm in their block."""
        return _share(self.rushes_found, self.rushes)

    @property
    def pump_precision(self) -> float | None:
        """Return the share of the alarms in which most wallets were the group's."""
        return _share(self.rush_alarms_right, self.rush_alarms)


def _share(part: int, whole: int) -> float | None:
    return part / whole if whole else None


def concert_measured(life: ChainLife, launches: Sequence[Running], *, reader: ChainReader) -> ConcertFound:
    """Return how well rings and rushes in these launches' pools are told, from all that was traded so far."""
    listings = [listing_of(life, running) for running in launches]
    _, swaps = reader.pool_activity(listings, 1, life.head)
    by_pool: defaultdict[str, list[Trade]] = defaultdict(list)
    for swap, trade in zip(swaps, trades_of(life.at.spec.key, swaps), strict=True):
        by_pool[swap.pair_key].append(trade)
    found = ConcertFound()
    for running, listing in zip(launches, listings, strict=True):
        trades = tuple(by_pool[listing.pair_key])
        if len(trades) >= SWAPS_MIN and len({trade.address for trade in trades}) >= ENTITIES_MIN:
            _count(found, life, running, trades)
    return found


def _count(found: ConcertFound, life: ChainLife, running: Running, trades: tuple[Trade, ...]) -> None:
    nobody = frozenset(address.lower() for address in (life.at.router, life.at.factory, running.pool))
    entities = entities_of(Reading(trades=trades, excluded=nobody, launch_block=trades[0].block))
    wash, pumps = wash_report(trades, entities), pump_report(trades, entities)
    ring = {life.crew.address(label).lower() for label in running.plan.washers}
    group = {life.crew.address(label).lower() for label in running.plan.pump}
    found.pools += 1
    found.swaps += len(trades)
    _count_wash(found, wash, trades, ring)
    _count_rushes(found, pumps, trades, group)
    crowd = Crowd(as_of_ms=trades[-1].at_ms, created_ms=0, fee_bps=30, entities=entities, trades=trades)
    assert concert(crowd, wash=wash, pumps=pumps).likelihood.value is not None


def _count_wash(found: ConcertFound, wash: WashReport, trades: Sequence[Trade], ring: set[str]) -> None:
    own = sum(trade.address in ring for trade in trades)
    taken = [
        trade.address in ring
        for trade, it in zip(trades, wash.classes, strict=True)
        if Class.LIKELY <= it <= Class.STRICT
    ]
    right = sum(taken)
    found.washed_wrong += len(taken) - right
    if own >= RING_SWAPS_MIN:
        found.ring_pools += 1
        found.ring_swaps += own
        found.washed_right += right
        found.ring_pools_found += 2 * right >= own
    elif own == 0:
        found.calm_pools += 1
        found.calm_pools_alarmed += wash.likely_raw * 10 >= wash.volume_raw


def _count_rushes(found: ConcertFound, pumps: PumpReport, trades: Sequence[Trade], group: set[str]) -> None:
    buyers: defaultdict[int, set[str]] = defaultdict(set)
    for trade in trades:
        if trade.side == "buy" and trade.address in group:
            buyers[trade.block].add(trade.address)
    rushes = {block for block, own in buyers.items() if len(own) >= GROUP_MIN}
    alarmed = {alarm.block for alarm in pumps.alarms}
    found.rushes += len(rushes)
    found.rushes_found += len(rushes & alarmed)
    found.rush_alarms += len(pumps.alarms)
    found.rush_alarms_right += sum(
        2 * len(group.intersection(alarm.wallets)) >= len(alarm.wallets) for alarm in pumps.alarms
    )


def listing_of(life: ChainLife, running: Running) -> Listing:
    """Return a launch's pool as the system would list it."""
    chain_key = ChainKey(life.at.spec.key)
    pair_key = pair_key_of(chain_key, running.pool)
    return Listing(
        trace_id=trace_id_of(pair_key, 1),
        pair_key=pair_key,
        dex_key=life.at.spec.dex_key,
        pool_address=running.pool,
        base=Token(chain_key, running.token, "T", running.plan.decimals),
        quote=Token(chain_key, life.at.wrapped, "W", 18),
        base_is_token0=int(running.token, 16) < int(life.at.wrapped, 16),
        fee_bps=30,
        created_block=BlockRef(running.created_block, "", int(running.created_at.timestamp() * 1_000)),
        creator=life.crew.address(running.plan.deployer),
    )
