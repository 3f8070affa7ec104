"""The protocol canary: do the exchanges still speak the protocol that we know?

At start and hourly it reads what each factory logged within the last hour and asks the pools that it names. A protocol that
changed, a wrong address, a node that hides logs: all of them show here, before they show as missed or wrong trades.
"""

from __future__ import annotations

import logging
from collections.abc import Sequence
from datetime import timedelta

from celery import shared_task
from django.utils import timezone

from apps.chains.selectors import canary_figures, canary_looked_at
from apps.chains.services.canary_runs import canary_store
from apps.domain.canary import CanaryFigures, dropped
from apps.domain.errors import BadDataError, Category, Recovery, SniperError
from apps.domain.market import ChainEvent, DexProfile
from apps.engine import housekeeping, wiring
from apps.engine.road import guarded
from apps.state.services.incidents import incident_open, incident_resolve

logger = logging.getLogger(__name__)

EVERY = timedelta(hours=1)
_WINDOW_MS = 3_600_000
#: What one request may ask for, whatever an hour holds.
BLOCKS_MAX = 20_000
POOLS_ASKED_MAX = 50
_ADDRESS_CHARS = 42  # pools that are no contracts of their own have longer names
#: Chain and exchange that were looked at since this process began.
_seen: set[tuple[str, str]] = set()


@shared_task(name="engine.canary")
def canary() -> None:
    """Look at every exchange that is due; repeatable at will, mostly there is nothing to do."""
    for chain_key in housekeeping.followed_chain_keys():
        with guarded(f"canary/{chain_key}"):
            for dex in wiring.chain_ports(chain_key).dexes.values():
                if _is_due(dex):
                    _seen.add((chain_key, dex.dex_key))
                    look(chain_key, dex)


def _is_due(dex: DexProfile) -> bool:
    if (dex.chain_key, dex.dex_key) not in _seen:
        return True
    looked_at = canary_looked_at(chain_key=dex.chain_key, dex_key=dex.dex_key)
    return looked_at is None or looked_at <= timezone.now() - EVERY


def look(chain_key: str, dex: DexProfile) -> None:
    """Look at one exchange, keep what was found, and raise or end its alarm. A node that does not answer is no drop."""
    now, key = timezone.now(), f"canary/{chain_key}/{dex.dex_key}"
    before = canary_figures(chain_key=chain_key, dex_key=dex.dex_key)
    ports = wiring.chain_ports(chain_key)
    try:
        figures = _figures(chain_key, dex, ports)
    except SniperError as error:
        logger.warning("canary could not look", extra={"chain": chain_key, "dex": dex.dex_key})
        canary_store(chain_key=chain_key, dex_key=dex.dex_key, now=now, figures=None, fault=str(error))
        return
    alarm = dropped(figures, before, may_pause=ports.profile.is_sandbox)
    canary_store(chain_key=chain_key, dex_key=dex.dex_key, now=now, figures=figures, alarm=alarm)
    if not alarm:
        incident_resolve(dedup_key=key, reason="its creations can be read again")
        return
    incident_open(
        code="PROTOCOL_CANARY",
        category=Category.DATA,
        recovery=Recovery.SKIP,
        severity="critical",
        title=f"{dex.name} on {ports.profile.name} is not read as it should be",
        detail=f"{alarm}, blocks {figures.block_first} to {figures.block_last}.",
        remedy="Compare its factory's address with a second source and its event with the exchange's documentation; ask an"
        " endpoint of another provider. Until then, switch the exchange off in the admin.",
        dedup_key=key,
    )


def _figures(chain_key: str, dex: DexProfile, ports: wiring.ChainPorts) -> CanaryFigures:
    """Read the last hour of the factory. Raises NetworkError and the like."""
    faults: list[BadDataError] = []
    source = wiring.creation_source(chain_key, dex.dex_key, on_fault=faults.append)
    last = ports.reader.head().number
    blocks = min(_WINDOW_MS // max(ports.profile.block_time_ms, 1), BLOCKS_MAX)
    first = max(last - blocks + 1, 0)
    events = source.events(first, last)
    asked = [event for event in events if len(event.pool_address) == _ADDRESS_CHARS][-POOLS_ASKED_MAX:]
    return CanaryFigures(
        block_first=first,
        block_last=last,
        creations=len(events) + len(faults),
        decoded=len(events),
        pools_asked=len(asked),
        pools_answered=_answered(asked, dex, ports),
    )


def _answered(events: Sequence[ChainEvent], dex: DexProfile, ports: wiring.ChainPorts) -> int:
    """Count the pools that name the same factory and tokens as their log does."""
    found = ports.reader.pool_tokens([event.pool_address for event in events])
    count = 0
    for event in events:
        pool = found.get(event.pool_address)
        if pool is None:
            continue
        said = (pool.factory.lower(), pool.token0.lower(), pool.token1.lower())
        count += said == (dex.factory.lower(), event.token0.lower(), event.token1.lower())
    return count
