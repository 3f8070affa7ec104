"""Cross-references what a web feed names with the chain, and registers what the chain confirms.

A feed's word is never enough. A pool must answer on chain, its factory must be one of ours, its tokens must be those the
feed names, and the factory's own log must have created it: then it is registered from that log like any other pair.
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Literal, Protocol

from django.utils import timezone

from apps.discovery.logic.recheck import is_absence_proof, is_recheck_due
from apps.discovery.models import FeedSighting, Pair
from apps.discovery.services.listings import RegisteredListing, listings_register
from apps.discovery.services.quarantine import quarantine_add
from apps.domain.errors import NetworkError, SniperError
from apps.domain.ids import PairKey, pair_key_of
from apps.domain.market import ChainProfile, DexProfile, FeedItem, PoolTokens
from apps.domain.ports import FeedSource, PoolReader
from apps.state.services.incidents import incident_from_error, incident_resolve

logger = logging.getLogger(__name__)

ITEMS_PER_SCAN_MAX = 1_000
#: So many pools of one chain are asked about in one scan; the rest waits for the next.
CHECKS_PER_SCAN_MAX = 100
_EVM_ADDRESS_LENGTH = 42  # longer: the 32-byte id of a pool that is no contract
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)

SightingOutcome = Literal["known", "registered", "contradicted", "unconfirmed", "unsupported"]
#: The chain is not asked again about these.
_SETTLED: frozenset[str] = frozenset({"contradicted", "unsupported"})


class FeedPorts(Protocol):
    """What a scan needs of one chain."""

    @property
    def profile(self) -> ChainProfile:
        """The chain."""

    @property
    def dexes(self) -> Mapping[str, DexProfile]:
        """Its exchanges by key."""

    @property
    def reader(self) -> PoolReader:
        """Reads it."""


@dataclass(slots=True, kw_only=True)
class _Sighting:
    """One pool as one feed shows it, while the scan finds out about it."""

    item: FeedItem
    pair_key: PairKey
    first_seen_ms: int
    checked_ms: int | None
    outcome: SightingOutcome = "unconfirmed"
    detail: str = ""
    was_stored: bool = False
    tokens: PoolTokens | None = field(default=None)


def feed_scan(*, source: FeedSource, ports: Callable[[str], FeedPorts]) -> tuple[RegisteredListing, ...]:
    """Read the feed once, cross-reference it with the chains and return the pairs that this scan registered.

    Raises what the source raises when it gave nothing at all. A chain that does not answer is an incident and its pools
    stay unconfirmed; the other chains go on.
    """
    items = source.items()[:ITEMS_PER_SCAN_MAX]
    _keep_leftovers(source)
    by_chain: dict[str, list[FeedItem]] = {}
    for item in items:
        by_chain.setdefault(item.chain_key, []).append(item)
    registered: list[RegisteredListing] = []
    for chain_key, chain_items in by_chain.items():
        dedup_key = f"feed/{source.name}/{chain_key}"
        try:
            registered += _scan_chain(source.name, chain_items, ports(chain_key))
        except SniperError as error:
            logger.warning("feed was not confirmed", extra={"chain": chain_key, "code": error.code})
            incident_from_error(error, dedup_key=dedup_key)
        else:
            incident_resolve(dedup_key=dedup_key)
    return tuple(registered)


def _keep_leftovers(source: FeedSource) -> None:
    leftovers = source.leftovers
    for reject in leftovers.rejected:
        quarantine_add(source=source.name, reason=reject.reason, sample=reject.sample)
    for fault in leftovers.faults:
        incident_from_error(fault, dedup_key=f"feed/{source.name}/{fault.code}")
    if leftovers.unknown_chains:
        skipped = sum(leftovers.unknown_chains.values())
        logger.debug("items of other chains were skipped", extra={"feed": source.name, "count": skipped})


def _scan_chain(name: str, items: Sequence[FeedItem], ports: FeedPorts) -> tuple[RegisteredListing, ...]:
    now_ms = (timezone.now() - _EPOCH) // timedelta(milliseconds=1)
    sightings = _sightings_of(name, items, now_ms=now_ms)
    known = _pair_ids(sightings)
    for sighting in sightings:
        if sighting.pair_key in known and sighting.outcome != "registered":
            sighting.outcome, sighting.detail = "known", ""
    due = [sighting for sighting in sightings if sighting.pair_key not in known and _is_due(sighting, now_ms)]
    registered: tuple[RegisteredListing, ...] = ()
    try:
        if due:
            registered = _confirm(name, due[:CHECKS_PER_SCAN_MAX], ports, now_ms=now_ms)
    finally:  # what the chain did say before it fell silent is kept
        _store(name, sightings)
    return registered


def _sightings_of(name: str, items: Sequence[FeedItem], *, now_ms: int) -> list[_Sighting]:
    keyed = {(item.kind, pair_key_of(item.chain_key, item.pool_address)): item for item in items}
    rows = FeedSighting.objects.filter(source=name, pair_key__in=[pair_key for _, pair_key in keyed])
    stored = {(row.kind, row.pair_key): row for row in rows}
    sightings = []
    for (kind, pair_key), item in keyed.items():
        sighting = _Sighting(item=item, pair_key=pair_key, first_seen_ms=now_ms, checked_ms=None)
        row = stored.get((kind, pair_key))
        if row is not None:
            sighting.was_stored = True
            sighting.first_seen_ms = _ms_of(row.first_seen_at)
            sighting.checked_ms = _ms_of(row.checked_at) if row.checked_at is not None else None
            sighting.outcome = row.outcome  # type: ignore[assignment]  # only this module writes it
            sighting.detail = row.detail
        sightings.append(sighting)
    return sightings


def _is_due(sighting: _Sighting, now_ms: int) -> bool:
    if sighting.outcome in _SETTLED:
        return False
    return sighting.checked_ms is None or is_recheck_due(
        first_seen_ms=sighting.first_seen_ms, checked_ms=sighting.checked_ms, now_ms=now_ms
    )


# -- asking the chain ---------------------------------------------------------------------
def _confirm(
    name: str, due: Sequence[_Sighting], ports: FeedPorts, *, now_ms: int
) -> tuple[RegisteredListing, ...]:
    """Ask the chain about these pools, in three batches at most, and register those it confirms."""
    askable = [sighting for sighting in due if _has_contract(sighting, ports.profile)]
    answers = ports.reader.pool_tokens(sorted({sighting.item.pool_address for sighting in askable}))
    for sighting in askable:
        sighting.checked_ms = now_ms
        sighting.tokens = answers.get(sighting.item.pool_address)
        _compare(sighting, ports, now_ms=now_ms)
    plausible = [sighting for sighting in askable if sighting.outcome == "unconfirmed" and sighting.tokens]
    registered = _register(name, plausible, ports, now_ms=now_ms) if plausible else ()
    for sighting in due:
        if sighting.outcome == "contradicted":
            quarantine_add(
                source=name, reason=sighting.detail, sample=repr(sighting.item), pair_key=sighting.pair_key
            )
    return registered


def _has_contract(sighting: _Sighting, profile: ChainProfile) -> bool:
    if profile.family == "evm" and len(sighting.item.pool_address) != _EVM_ADDRESS_LENGTH:
        sighting.outcome, sighting.detail = "unsupported", "The pool is no contract of its own."
        return False
    return True


def _compare(sighting: _Sighting, ports: FeedPorts, *, now_ms: int) -> None:
    """Set the outcome as far as the pool's own words decide it."""
    tokens = sighting.tokens
    if tokens is None:
        _settle_absence(sighting, "No pool answers at this address.", now_ms=now_ms)
        return
    if tokens.factory.lower() not in {dex.factory.lower() for dex in ports.dexes.values()}:
        sighting.outcome, sighting.detail = (
            "unsupported",
            "The pool belongs to an exchange that is not configured.",
        )
        return
    on_chain = {tokens.token0.lower(), tokens.token1.lower()}
    named = {sighting.item.base_address.lower(), sighting.item.quote_address.lower()} - {""}
    if not named <= on_chain:
        sighting.outcome = "contradicted"
        sighting.detail = "The pool holds other tokens than the feed names."


def _settle_absence(sighting: _Sighting, detail: str, *, now_ms: int) -> None:
    """A pool that is absent may be newer than our endpoint's head; later on it is not there."""
    sighting.detail = detail
    is_proof = is_absence_proof(first_seen_ms=sighting.first_seen_ms, now_ms=now_ms)
    sighting.outcome = "contradicted" if is_proof else "unconfirmed"


def _register(
    name: str, plausible: Sequence[_Sighting], ports: FeedPorts, *, now_ms: int
) -> tuple[RegisteredListing, ...]:
    pools = {sighting.pair_key: sighting.tokens for sighting in plausible if sighting.tokens is not None}
    try:
        creations = ports.reader.pool_creations(list(pools.values()))
    except NetworkError:
        for sighting in plausible:
            sighting.detail = "The factory's log could not be searched."
        raise
    by_key = {pair_key_of(event.chain_key, event.pool_address): event for event in creations.values()}
    for sighting in plausible:
        event, tokens = by_key.get(sighting.pair_key), pools[sighting.pair_key]
        if event is None:
            _settle_absence(sighting, "The factory that the pool names has not created it.", now_ms=now_ms)
        elif {event.token0.lower(), event.token1.lower()} != {tokens.token0.lower(), tokens.token1.lower()}:
            sighting.outcome = "contradicted"
            sighting.detail = "The pool names other tokens than its factory's log."
            del by_key[sighting.pair_key]
    registered = listings_register(
        events=list(by_key.values()),
        reader=ports.reader,
        chain=ports.profile,
        dexes=ports.dexes,
        source=plausible[0].item.source,
    )
    stored = _pair_ids(plausible)
    ours = set(Pair.objects.filter(pk__in=stored.values(), source=name).values_list("pair_key", flat=True))
    for sighting in plausible:
        if sighting.pair_key in stored and sighting.outcome != "contradicted":
            sighting.outcome = "registered" if sighting.pair_key in ours else "known"
            sighting.detail = ""
    return registered


# -- bookkeeping --------------------------------------------------------------------------
def _pair_ids(sightings: Sequence[_Sighting]) -> dict[str, int]:
    keys = [sighting.pair_key for sighting in sightings]
    return dict(Pair.objects.filter(pair_key__in=keys).values_list("pair_key", "pk"))


def _store(name: str, sightings: Sequence[_Sighting]) -> None:
    pair_ids, now = _pair_ids(sightings), timezone.now()
    rows = [
        FeedSighting(
            source=name,
            kind=sighting.item.kind,
            pair_key=sighting.pair_key,
            pair_id=pair_ids.get(sighting.pair_key),
            outcome=sighting.outcome,
            detail=sighting.detail,
            first_seen_at=_time_of(sighting.first_seen_ms),
            last_seen_at=now,
            checked_at=None if sighting.checked_ms is None else _time_of(sighting.checked_ms),
        )
        for sighting in sorted(sightings, key=lambda item: (item.item.kind, item.pair_key))
    ]
    FeedSighting.objects.bulk_create(
        rows,
        batch_size=500,
        update_conflicts=True,
        unique_fields=["source", "kind", "pair_key"],
        update_fields=["pair", "outcome", "detail", "last_seen_at", "checked_at"],
    )


def _ms_of(moment: datetime) -> int:
    return (moment - _EPOCH) // timedelta(milliseconds=1)


def _time_of(moment_ms: int) -> datetime:
    return _EPOCH + timedelta(milliseconds=moment_ms)
