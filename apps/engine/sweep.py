"""Finds every row that waits longer than it should and nudges it again: losing a message costs time, never work.

With the broker dead the rows are worked on right here, a few at a time.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import lru_cache

import redis
from django.conf import settings

from apps.discovery.services.listings import RegisteredListing, listing_of
from apps.domain.engine import EngineStatus
from apps.domain.errors import BrokerDownError
from apps.engine import housekeeping, road, wiring
from apps.engine.breakers import breakers_watch
from apps.engine.nudges import broker_rests, nudge
from apps.engine.watch import pairs_forgotten
from apps.state.services.config import active_config
from apps.state.services.engine import engine_stop, engine_view, killswitch_settle
from apps.state.services.heartbeats import beat
from apps.state.services.incidents import incident_from_error, incident_resolve
from apps.trading.models import Position
from apps.trading.services.equity import equity_record
from apps.trading.services.execution import claims_recover
from apps.trading.services.opportunities import (
    opportunities_due,
    opportunities_expire,
    opportunities_recover,
    opportunities_shed,
)
from apps.trading.services.orders import orders_unsettled, orders_waiting
from apps.trading.services.revocations import revocations_waiting

_BROKER_KEY = "broker"
_BROKER_TIMEOUT_S = 0.5
_BROKER_STALE_S = 15
_INLINE_MAX = 5  # rows of each kind worked on in one pass without a broker


def sweep_all() -> None:
    """Look at everything that may lie about."""
    killswitch_settle()
    open_forgotten()
    opportunities_recover()
    opportunities_expire()
    config = active_config().config
    opportunities_shed(most=config.entry.queue_max)
    due = opportunities_due(limit=100, by_priority=config.influence.ranking)
    _push("engine.evaluate", road.evaluate, due)
    for chain_key in housekeeping.followed_chain_keys():
        with road.guarded(f"sweep/{chain_key}"):
            claims_recover(chain_key=chain_key, ports=wiring.chain_ports(chain_key).execution)
            _push("engine.execute", road.execute, orders_waiting(chain_key=chain_key))
            _push("engine.revoke", road.revoke, revocations_waiting(chain_key=chain_key))
    with road.guarded("breakers"):
        breakers_watch(housekeeping.followed_chain_keys())
    equity_record()
    end_closing()


def open_forgotten() -> None:
    """Give each registered pair its opportunity, also where a process died between the two."""
    for pair in pairs_forgotten():
        forgotten = RegisteredListing(pair_id=pair.pk, listing=listing_of(pair))
        road.open_opportunities([forgotten], source=pair.source)


def watch_broker() -> None:
    """Open an incident while the broker is away and close it when it is back; nothing waits for it."""
    try:
        _broker().ping()
    except redis.RedisError as error:
        incident_from_error(
            BrokerDownError(
                f"the broker does not answer ({type(error).__name__}): workers are idle, the listener does their work",
                remedy="'manage.py up' starts it again by itself. An external one: check DEXSNIPER_REDIS_URL.",
            ),
            dedup_key=_BROKER_KEY,
        )
    else:
        beat(component="broker", stale_after_s=_BROKER_STALE_S)
        incident_resolve(dedup_key=_BROKER_KEY)


@lru_cache(maxsize=1)
def _broker() -> redis.Redis:
    return redis.Redis.from_url(
        settings.REDIS_URL, socket_timeout=_BROKER_TIMEOUT_S, socket_connect_timeout=_BROKER_TIMEOUT_S
    )


def end_closing() -> None:
    """Stop the engine once everything is sold after "kill and close"."""
    view = engine_view()
    if view.status is not EngineStatus.CLOSING:
        return
    unsettled = [key for key in housekeeping.followed_chain_keys() if orders_unsettled(chain_key=key)]
    if not unsettled and not Position.objects.filter(status="open").exists():
        engine_stop(by="engine", reason="all positions are closed")


def settle_chain(chain_key: str) -> None:
    """Look at every order in flight of a chain: a block may have brought its receipt."""
    _push("engine.settle", road.settle, orders_unsettled(chain_key=chain_key))


def _push(task: str, function: Callable[[int], object], row_ids: tuple[int, ...]) -> None:
    if broker_rests():
        for row_id in row_ids[:_INLINE_MAX]:
            function(row_id)
        return
    for row_id in row_ids:
        nudge(task, row_id)
