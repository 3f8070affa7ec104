"""Registers pairs, each exactly once, and withdraws those that a reorganisation took away.

All metadata of a call is read in one batch and all rows are written in one short transaction. Two processes that
register the same pair at once both insert with "on conflict do nothing"; the row keeps the name of the call that
inserted it, and only that call returns the pair as new.
"""

from __future__ import annotations

import uuid
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from django.db import transaction
from django.db.models import OuterRef, Q, Subquery
from django.utils import timezone

from apps.discovery.logic.orient import Orientation, fault_of_tokens, orient, quote_tokens
from apps.discovery.models import Pair, PoolSnapshot, PoolTrade, Token
from apps.discovery.services.quarantine import quarantine_add
from apps.domain.errors import BadDataError
from apps.domain.events import EventKind
from apps.domain.ids import ChainKey, PairKey, pair_key_of, trace_id_of
from apps.domain.market import (
    BlockRef,
    ChainEvent,
    ChainProfile,
    DexProfile,
    Listing,
    SourceName,
    TokenMetadata,
)
from apps.domain.money import DECIMALS_MAX, UINT256_MAX
from apps.domain.money import Token as DomainToken
from apps.domain.ports import TokenReader
from apps.state.services.events import event_record

#: So many pairs share one metadata read and one transaction; more are taken in turns.
PAIRS_PER_BATCH_MAX = 200
_NAME_LENGTH_MAX, _SYMBOL_LENGTH_MAX = 64, 32  # the columns'
_BLOCK_NUMBER_MAX = 2**63 - 1
_LOG_INDEX_MAX = 2**31 - 1
_BLOCK_TIME_MAX_MS = 4_102_444_800_000  # the year 2100
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


@dataclass(frozen=True, slots=True, kw_only=True)
class RegisteredListing:
    """A pair that this call, and no other, has registered. Pairs that were set aside are not among them."""

    pair_id: int
    listing: Listing


@dataclass(frozen=True, slots=True, kw_only=True)
class _Candidate:
    event: ChainEvent
    pair_key: PairKey
    orientation: Orientation


def listings_register(
    *,
    events: Sequence[ChainEvent],
    reader: TokenReader,
    chain: ChainProfile,
    dexes: Mapping[str, DexProfile],
    source: SourceName = "chain",
) -> tuple[RegisteredListing, ...]:
    """Register the pairs of these events and return those that are new and may be traded, in the events' order.

    Senseless events go to quarantine. A pair whose tokens cannot be traded (no known paying side, decimals that cannot be
    read) is stored with its ``quarantine_code``. A pair that a reorganisation had taken away comes back as the row it was
    and is not returned again. Raises NetworkError, with nothing stored, when no endpoint answers.
    """
    candidates = _candidates(events, chain=chain, dexes=dexes)
    registered: list[RegisteredListing] = []
    for start in range(0, len(candidates), PAIRS_PER_BATCH_MAX):
        fresh = _without_known(candidates[start : start + PAIRS_PER_BATCH_MAX])
        if fresh:
            registered += _register(fresh, reader=reader, chain=chain, dexes=dexes, source=source)
    return tuple(registered)


def listing_of(pair: Pair) -> Listing:
    """Return the pair as the road knows it; load it with its tokens. Raises BadDataError when its decimals are unknown."""
    chain_key = ChainKey(pair.chain_key)
    pair_key = PairKey(pair.pair_key)
    return Listing(
        trace_id=trace_id_of(pair_key, 1),
        pair_key=pair_key,
        dex_key=pair.dex_key,
        pool_address=pair.pool_address,
        base=_domain_token(pair.base, chain_key),
        quote=_domain_token(pair.quote, chain_key),
        base_is_token0=pair.base_is_token0,
        fee_bps=pair.fee_bps,
        created_block=BlockRef(
            pair.created_block_number,
            pair.created_block_hash,
            (pair.created_block_at - _EPOCH) // timedelta(milliseconds=1),
        ),
        creator=pair.creator,
    )


def pairs_withdraw(*, chain_key: str, above_block: int) -> tuple[int, ...]:
    """Mark the pairs created above this block as removed and drop what was recorded above it. Return the pairs' ids.

    Reserves fall back to the newest snapshot that still stands. ``above_block`` -1 withdraws everything: a reset chain.
    """
    now = timezone.now()
    with transaction.atomic():
        on_chain = Pair.objects.filter(chain_key=chain_key)
        gone = list(
            on_chain.filter(created_block_number__gt=above_block, removed_at=None).values_list(
                "pk", "pair_key"
            )
        )
        Pair.objects.filter(pk__in=[pk for pk, _ in gone]).update(removed_at=now)
        orphaned = {"pair__chain_key": chain_key, "block_number__gt": above_block}
        PoolTrade.objects.filter(**orphaned).delete()
        PoolSnapshot.objects.filter(**orphaned).delete()
        newest = PoolSnapshot.objects.filter(pair=OuterRef("pk")).order_by("-block_number")[:1]
        on_chain.filter(reserve_block_number__gt=above_block).update(
            reserve_base_raw=Subquery(newest.values("base_raw")),
            reserve_quote_raw=Subquery(newest.values("quote_raw")),
            reserve_block_number=Subquery(newest.values("block_number")),
            reserve_at=Subquery(newest.values("at")),
        )
        for pair_id, pair_key in gone:
            event_record(
                kind=EventKind.PAIR_CHANGED,
                summary=f"Pair withdrawn: its creating block above {above_block} is no longer part of the chain",
                trace_id=trace_id_of(PairKey(pair_key), 1),
                subject=f"pair:{pair_id}",
                payload={"change": "withdrawn", "above_block": above_block},
            )
    return tuple(pair_id for pair_id, _ in gone)


# -- before the chain is asked ------------------------------------------------------------
def _candidates(
    events: Iterable[ChainEvent], *, chain: ChainProfile, dexes: Mapping[str, DexProfile]
) -> list[_Candidate]:
    """Return the events that make sense, one a pair, by pair key; the others go to quarantine."""
    by_key: dict[PairKey, _Candidate] = {}
    for event in events:
        pair_key = pair_key_of(event.chain_key, event.pool_address)
        fault = _fault_of(event, chain=chain, dexes=dexes)
        if fault:
            quarantine_add(
                source=f"{event.chain_key}/{event.dex_key}",
                reason=fault,
                sample=repr(event),
                pair_key=pair_key,
                trace_id=trace_id_of(pair_key, 1),
            )
            continue
        orientation = orient(token0=event.token0, token1=event.token1, profile=chain)
        by_key[pair_key] = _Candidate(event=event, pair_key=pair_key, orientation=orientation)
    return list(by_key.values())


def _fault_of(event: ChainEvent, *, chain: ChainProfile, dexes: Mapping[str, DexProfile]) -> str:
    if event.chain_key != chain.chain_key:
        return f"event of {event.chain_key} was given to {chain.chain_key}"
    if event.dex_key not in dexes:
        return "its DEX is not configured on this chain"
    addresses = (event.pool_address, event.token0, event.token1)
    if not all(0 < len(address) <= 66 for address in addresses) or len(event.tx_hash) > 88:
        return "an address or hash has a senseless length"
    block = event.block
    if not (0 <= block.number <= _BLOCK_NUMBER_MAX and 0 <= block.at_ms <= _BLOCK_TIME_MAX_MS):
        return "its block has a senseless number or time"
    if not 0 <= event.log_index <= _LOG_INDEX_MAX:
        return "its log index is senseless"
    return fault_of_tokens(token0=event.token0, token1=event.token1)


def _without_known(candidates: Sequence[_Candidate]) -> list[_Candidate]:
    """Return the pairs that have no row yet; bring back those whose creating block has changed."""
    stored = {
        key: (removed_at is not None, block_hash)
        for key, removed_at, block_hash in Pair.objects.filter(
            pair_key__in=[candidate.pair_key for candidate in candidates]
        ).values_list("pair_key", "removed_at", "created_block_hash")
    }
    fresh: list[_Candidate] = []
    for candidate in candidates:
        known = stored.get(candidate.pair_key)
        if known is None:
            fresh.append(candidate)
        elif known != (False, candidate.event.block.hash):
            _bring_back(candidate)
    return fresh


def _bring_back(candidate: _Candidate) -> None:
    event = candidate.event
    with transaction.atomic():
        changed = Pair.objects.filter(
            Q(removed_at__isnull=False) | ~Q(created_block_hash=event.block.hash), pair_key=candidate.pair_key
        ).update(
            removed_at=None,
            created_block_number=event.block.number,
            created_block_hash=event.block.hash,
            created_block_at=_time_of(event.block),
            created_tx_hash=event.tx_hash,
            created_log_index=event.log_index,
        )
        if changed:
            event_record(
                kind=EventKind.PAIR_CHANGED,
                summary=f"Pair is back: created in block {event.block.number} after a reorganisation",
                trace_id=trace_id_of(candidate.pair_key, 1),
                subject=f"pair:{Pair.objects.only('pk').get(pair_key=candidate.pair_key).pk}",
                payload={"change": "returned", "block": event.block.number},
            )


# -- reading and storing ------------------------------------------------------------------
def _register(
    fresh: Sequence[_Candidate],
    *,
    reader: TokenReader,
    chain: ChainProfile,
    dexes: Mapping[str, DexProfile],
    source: SourceName,
) -> list[RegisteredListing]:
    metadata = _metadata_of(fresh, reader=reader, chain=chain)
    creators = reader.senders(sorted({candidate.event.tx_hash for candidate in fresh}))
    registration = uuid.uuid4().hex
    with transaction.atomic():
        tokens = _store_tokens(fresh, metadata=metadata, creators=creators, chain_key=chain.chain_key)
        rows = [
            _pair_row(
                candidate,
                tokens=tokens,
                creator=creators.get(candidate.event.tx_hash, ""),
                fee_bps=_fee_bps_of(candidate.event, dexes),
                source=source,
                registration=registration,
            )
            for candidate in sorted(fresh, key=lambda item: item.pair_key)  # one order for all: no deadlock
        ]
        Pair.objects.bulk_create(rows, ignore_conflicts=True)
        keys = [row.pair_key for row in rows]
        stored = Pair.objects.filter(pair_key__in=keys, registration=registration).select_related(
            "base", "quote"
        )
        ours = {pair.pair_key: pair for pair in stored}
        for pair in ours.values():
            _record(pair)
    in_order = [ours[candidate.pair_key] for candidate in fresh if candidate.pair_key in ours]
    return [
        RegisteredListing(pair_id=pair.pk, listing=listing_of(pair))
        for pair in in_order
        if not pair.quarantine_code
    ]


def _metadata_of(
    fresh: Sequence[_Candidate], *, reader: TokenReader, chain: ChainProfile
) -> dict[str, TokenMetadata]:
    """Return the self-description of each token that we do not know: money from its row, all others in one read."""
    found = {
        token.address.lower(): TokenMetadata(
            address=token.address,
            name="",
            symbol=token.symbol,
            decimals=token.decimals,
            total_supply_raw=None,
        )
        for token in quote_tokens(chain)
    }
    wanted = {address for candidate in fresh for address in (candidate.event.token0, candidate.event.token1)}
    unread = {address for address in wanted if address.lower() not in found}
    stored = Token.objects.filter(chain_key=chain.chain_key, address__in=unread, decimals__isnull=False)
    unread -= set(stored.values_list("address", flat=True))
    if unread:
        read = reader.token_metadata(sorted(unread))
        found |= {address.lower(): item for address, item in read.items()}
    return found


def _store_tokens(
    fresh: Sequence[_Candidate],
    *,
    metadata: Mapping[str, TokenMetadata],
    creators: Mapping[str, str],
    chain_key: ChainKey,
) -> dict[str, Token]:
    """Store the tokens that are new and return all of them by address."""
    creator_of: dict[str, str] = {}
    for candidate in fresh:
        creator_of.setdefault(candidate.orientation.quote_address, "")
        creator_of[candidate.orientation.base_address] = creators.get(candidate.event.tx_hash, "")
    now = timezone.now()
    rows = [
        _token_row(
            address, metadata.get(address.lower()), creator=creator_of[address], chain_key=chain_key, now=now
        )
        for address in sorted(creator_of)
    ]
    Token.objects.bulk_create(rows, ignore_conflicts=True)
    stored = {
        token.address: token
        for token in Token.objects.filter(chain_key=chain_key, address__in=list(creator_of))
    }
    for row in rows:
        known = stored[row.address]
        if known.decimals is None and row.decimals is not None:  # it did not answer sensibly the last time
            known.decimals, known.symbol, known.name = row.decimals, row.symbol, row.name
            known.total_supply_raw, known.faults = row.total_supply_raw, row.faults
            known.save(update_fields=["decimals", "symbol", "name", "total_supply_raw", "faults"])
    return stored


def _token_row(
    address: str, metadata: TokenMetadata | None, *, creator: str, chain_key: ChainKey, now: datetime
) -> Token:
    row = Token(chain_key=chain_key, address=address, creator=creator, first_seen_at=now)
    if metadata is None:
        row.faults = ["unanswered"]
        return row
    faults = list(metadata.faults)
    if metadata.decimals is not None and 0 <= metadata.decimals <= DECIMALS_MAX:
        row.decimals = metadata.decimals
    elif metadata.decimals is not None:
        faults.append("decimals_absurd")
    if metadata.total_supply_raw is not None and 0 <= metadata.total_supply_raw <= UINT256_MAX:
        row.total_supply_raw = metadata.total_supply_raw
    row.name = metadata.name[:_NAME_LENGTH_MAX]
    row.symbol = metadata.symbol[:_SYMBOL_LENGTH_MAX]
    row.faults = faults
    return row


def _fee_bps_of(event: ChainEvent, dexes: Mapping[str, DexProfile]) -> int:
    """Return the pool's own fee where its creation names one, else its exchange's."""
    return dexes[event.dex_key].fee_bps if event.fee_bps is None else event.fee_bps


def _pair_row(
    candidate: _Candidate,
    *,
    tokens: Mapping[str, Token],
    creator: str,
    fee_bps: int,
    source: SourceName,
    registration: str,
) -> Pair:
    event, orientation = candidate.event, candidate.orientation
    base, quote = tokens[orientation.base_address], tokens[orientation.quote_address]
    code, reason = _refusal(orientation, base=base, quote=quote)
    return Pair(
        pair_key=candidate.pair_key,
        chain_key=event.chain_key,
        dex_key=event.dex_key,
        pool_address=event.pool_address,
        base=base,
        quote=quote,
        base_is_token0=orientation.base_is_token0,
        fee_bps=fee_bps,
        creator=creator,
        created_block_number=event.block.number,
        created_block_hash=event.block.hash,
        created_block_at=_time_of(event.block),
        created_tx_hash=event.tx_hash,
        created_log_index=event.log_index,
        source=source,
        registered_at=timezone.now(),
        quarantine_code=code,
        quarantine_reason=reason,
        registration=registration,
    )


def _refusal(orientation: Orientation, *, base: Token, quote: Token) -> tuple[str, str]:
    if orientation.refusal is not None:
        return orientation.refusal.code, orientation.refusal.explanation
    if base.decimals is None or quote.decimals is None:
        return (
            "DECIMALS_UNKNOWN",
            "The token does not say sensibly how many decimals it has: amounts mean nothing.",
        )
    return "", ""


def _record(pair: Pair) -> None:
    refused = f", set aside: {pair.quarantine_reason}" if pair.quarantine_code else ""
    event_record(
        kind=EventKind.PAIR_CHANGED,
        summary=f"Pair {pair.base} / {pair.quote} found on {pair.dex_key}{refused}",
        trace_id=trace_id_of(PairKey(pair.pair_key), 1),
        subject=f"pair:{pair.pk}",
        payload={"change": "registered", "source": pair.source, "code": pair.quarantine_code},
    )


def _domain_token(token: Token, chain_key: ChainKey) -> DomainToken:
    if token.decimals is None:
        raise BadDataError(
            "a token's decimals are unknown", remedy="The pair stays set aside.", token=token.address
        )
    return DomainToken(chain_key, token.address, token.symbol, token.decimals)


def _time_of(block: BlockRef) -> datetime:
    return _EPOCH + timedelta(milliseconds=block.at_ms)
