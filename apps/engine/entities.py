"""Looks up who stands behind a pair's buyers and holders, beside the road and never on it.

``entities_ask`` nudges a worker after the full look at a pair; ``entities_watch`` looks again at pairs that we hold. What
is found waits in rows for the next look. A lost nudge costs time: the watch and the next look come by again.
"""

from __future__ import annotations

import logging
from collections.abc import Sequence

from celery import shared_task
from django.utils import timezone

from apps.discovery.models import Pair
from apps.discovery.services.listings import listing_of
from apps.domain.errors import SniperError
from apps.domain.market import Listing, PairFacts
from apps.engine import housekeeping, wiring
from apps.engine.assessment import buyer_of
from apps.engine.nudges import nudge
from apps.intelligence.logic import whales
from apps.intelligence.services.entities import (
    PairPeople,
    entities_store,
    funding_due,
    funding_store,
    people_read,
)
from apps.intelligence.services.wallets import wallets_count
from apps.intelligence.services.whales import crowd_of, whale_alerts
from apps.state.services.config import active_config
from apps.state.tracing import bind_trace
from apps.trading.models import Position

logger = logging.getLogger(__name__)
TASK, WATCH, WALLETS = "engine.entities", "engine.entities_watch", "engine.wallets"
#: Held pairs that one run of the watch looks at again, in turn: each costs an endpoint what a first look does.
_WATCHED_MAX, _HELD_MAX = 5, 500
WATCH_EVERY_S = 20


def entities_ask(pair_id: int) -> None:
    """Have a pair's people looked up by a worker. Waits for nothing."""
    nudge(TASK, pair_id)


@shared_task(name=TASK)
def entities_look(pair_id: int) -> None:
    """Look up who stands behind one pair's people; repeatable at will. What the chain does not tell now, it tells later."""
    pair = Pair.objects.select_related("base", "quote").filter(pk=pair_id, removed_at=None).first()
    if pair is None:
        return
    listing = listing_of(pair)
    with bind_trace(listing.trace_id):
        try:
            ports = wiring.chain_ports(pair.chain_key)
            people_look(ports, listing, pair_id=pair.pk, facts=_facts(ports, listing))
        except SniperError as error:  # an endpoint's faults are told where the road meets them
            logger.info("entities were not looked up", extra={"pair": pair_id, "error": str(error)})


@shared_task(name=WATCH)
def entities_watch() -> None:
    """Look again at the people of the pairs that we hold: whales sell while we watch."""
    held = Position.objects.filter(status="open").order_by("-id").values_list("pair_id", flat=True)
    pair_ids = sorted(set(held[:_HELD_MAX]))
    for pair_id in turn(pair_ids, run=housekeeping.now_ms() // (WATCH_EVERY_S * 1_000)):
        entities_ask(pair_id)


def turn(pair_ids: Sequence[int], *, run: int) -> list[int]:
    """Return whose turn it is in this run: after a few runs everybody had his."""
    if len(pair_ids) <= _WATCHED_MAX:
        return list(pair_ids)
    first = run * _WATCHED_MAX % len(pair_ids)
    return [*pair_ids[first:], *pair_ids[:first]][:_WATCHED_MAX]


@shared_task(name=WALLETS)
def wallets_rate() -> None:
    """Count anew how good the trades of every followed chain's wallets were."""
    now = timezone.now()
    for chain_key in housekeeping.followed_chain_keys():
        wallets_count(chain_key=chain_key, now=now)


def people_look(ports: wiring.ChainPorts, listing: Listing, *, pair_id: int, facts: PairFacts) -> PairPeople:
    """Look up first coins that are due, keep who belongs together, give the alerts; return the people.

    Raises NetworkError when no endpoint answers.
    """
    config = active_config().config.whales
    now = timezone.now()
    if config.first_coins:
        due = funding_due(listing=listing, facts=facts, pair_id=pair_id, now=now)
        if due:
            found = ports.reader.first_coins(due, before_block=facts.block.number)
            funding_store(chain_key=listing.base.chain_key, found=found, now=now)
    people = people_read(listing=listing, facts=facts, pair_id=pair_id)
    entities_store(
        listing=listing, pair_id=pair_id, block_number=facts.block.number, entities=people.entities
    )
    told = whales.estimates(crowd_of(listing=listing, facts=facts, people=people))
    whale_alerts(listing=listing, pair_id=pair_id, estimates=told, people=people, config=config)
    return people


def _facts(ports: wiring.ChainPorts, listing: Listing) -> PairFacts:
    price = ports.reader.quote_price_usd_micros()
    return ports.reader.pair_facts(
        listing,
        buyer=buyer_of(ports),
        probe_amount_raw=housekeeping.probe_amount_raw(active_config().config, ports.profile, price),
        previous_swaps_from=listing.created_block.number,
    )
