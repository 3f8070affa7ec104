"""Who acts together in a pair: read from its facts and what is stored, and kept for others to read."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from itertools import combinations
from typing import Any

from django.db import transaction
from django.utils import timezone

from apps.chains.selectors import dex_profiles, locker_addresses
from apps.discovery.models import PoolTrade
from apps.domain.entities import Entities, Entity, FirstCoins, FundingLink, MergeReason, TokenMove, Trade
from apps.domain.market import Listing, PairFacts, PoolSwap
from apps.intelligence.logic.entities import MOVES_MAX, TRADES_MAX, Reading, entities_of
from apps.intelligence.logic.labels import LABELLED
from apps.intelligence.logic.wash import AGGREGATORS
from apps.intelligence.models import EntityMember, EntityRecord, FundingLinkRecord, WalletRecord
from apps.state.kept import kept_for
from apps.wallets.selectors import wallet_views

#: Whose first coins are looked up: the first buyers and the largest holders.
BUYERS_MAX = HOLDERS_MAX = 50
#: An address of which nothing could be told is asked about again after so long.
ASKED_AGAIN_AFTER = timedelta(minutes=30)
#: What counts as having acted together elsewhere: what chance was reckoned for. A common payer is the same observation
#: in every pool.
ACTS = frozenset({"same_exit", "same_act"})
RECORDS_MAX = 100  # of one pair
MEMBERS_MAX = 2_000  # rows that are read of other pairs
_GROUP_MAX = 50  # of one group, whose pairs are counted
KEPT_FOR = timedelta(days=14)
_PRUNED_AT_ONCE_MAX = 5_000
_DEAD = "0x000000000000000000000000000000000000dead"
_ZERO = "0x" + "00" * 20


@dataclass(frozen=True, slots=True, kw_only=True)
class PairPeople:
    """A pair's people: who traded, moved and holds, in comparable form, and who belongs together.

    ``trades`` is None when neither the chain nor our own record has them; ``is_whole``: they go back to the first.
    """

    trades: tuple[Trade, ...] | None
    moves: tuple[TokenMove, ...]
    holders: tuple[tuple[str, int], ...] | None
    creator: str
    own_addresses: frozenset[str]
    is_whole: bool
    is_funding_known: bool  # for at least half of those whose first coins would be looked up
    entities: Entities
    qualities: Mapping[str, int] = field(default_factory=dict)  # of buyers with a long record, bps of gains


def people_read(*, listing: Listing, facts: PairFacts, pair_id: int | None) -> PairPeople:
    """Return a pair's people. Asks nothing of the outside; ``pair_id`` None: the pair is not registered."""
    chain_key = listing.base.chain_key
    own = _own_addresses(chain_key)
    trades, is_whole = _trades(listing, facts, pair_id)
    holders = (
        None
        if facts.holders is None
        else tuple((comparable(chain_key, address), raw) for address, raw in facts.holders)
    )
    moves = facts.moves or ()
    creator = comparable(chain_key, listing.creator)
    asked = looked_up(trades or (), holders or (), creator=creator)
    links, known = _funding(chain_key, asked)
    reading = Reading(
        trades=trades or (),
        moves=moves[-MOVES_MAX:],
        funding=links,
        excluded=_nobody(listing),
        creator=creator,
        launch_block=trades[0].block if trades and is_whole else None,
        together=_together(chain_key, {trade.address for trade in trades or ()}, pair_id=pair_id),
    )
    return PairPeople(
        trades=trades,
        moves=moves,
        holders=holders,
        creator=creator,
        own_addresses=own,
        is_whole=is_whole,
        is_funding_known=bool(asked) and known * 2 >= len(asked),
        entities=entities_of(reading),
        qualities=_qualities(chain_key, asked),
    )


def comparable(chain_key: str, address: str) -> str:
    """Return an address in the form in which it is compared: EVM addresses without case."""
    return address.lower() if chain_key.startswith("eip155:") else address


def _comparables(chain_key: str, addresses: Iterable[str]) -> frozenset[str]:
    return frozenset(comparable(chain_key, address) for address in addresses if address)


@kept_for(2.0)
def _own_addresses(chain_key: str) -> frozenset[str]:
    return _comparables(chain_key, (wallet.address for wallet in wallet_views()))


def _nobody(listing: Listing) -> frozenset[str]:
    """Return the addresses that are nobody's wallet."""
    chain_key = listing.base.chain_key
    named = (listing.pool_address, listing.base.address, listing.quote.address)
    return _comparables(chain_key, named) | _infrastructure(chain_key)


@kept_for(2.0)
def _infrastructure(chain_key: str) -> frozenset[str]:
    """Return a chain's exchanges, lockers, burn addresses and who is known by name."""
    dexes = (address for dex in dex_profiles(chain_key) for address in (dex.router, dex.factory))
    named = (*locker_addresses(chain_key), *dexes)
    return _comparables(chain_key, named) | LABELLED | AGGREGATORS | {_DEAD, _ZERO}


# -- trades -------------------------------------------------------------------------------
def _trades(listing: Listing, facts: PairFacts, pair_id: int | None) -> tuple[tuple[Trade, ...] | None, bool]:
    """Return the newest trades and whether they go back to the first: the chain's, else those that we recorded."""
    if facts.swaps is not None:
        is_whole = "swaps_before" not in (facts.missing or {}) and len(facts.swaps) <= TRADES_MAX
        return trades_of(listing.base.chain_key, facts.swaps[-TRADES_MAX:]), is_whole
    stored = () if pair_id is None else stored_trades(pair_id=pair_id, chain_key=listing.base.chain_key)
    return (stored or None), False


def trades_of(chain_key: str, swaps: Sequence[PoolSwap]) -> tuple[Trade, ...]:
    """Return swaps as trades, addresses in comparable form."""
    return tuple(
        Trade(
            at_ms=swap.block.at_ms,
            block=swap.block.number,
            tx_hash=swap.tx_hash,
            log_index=swap.log_index,
            address=comparable(chain_key, swap.trader),
            side=swap.side,
            base_raw=swap.base_raw,
            quote_raw=swap.quote_raw,
        )
        for swap in swaps
    )


def stored_trades(*, pair_id: int, chain_key: str, limit: int = TRADES_MAX) -> tuple[Trade, ...]:
    """Return the newest trades that we recorded of a pair, in log order."""
    rows = (
        PoolTrade.objects.filter(pair_id=pair_id)
        .order_by("-block_number", "-log_index")
        .values_list("at", "block_number", "tx_hash", "log_index", "trader", "side", "base_raw", "quote_raw")[
            : min(limit, TRADES_MAX)
        ]
    )
    return tuple(
        Trade(
            at_ms=int(at.timestamp() * 1_000),
            block=block,
            tx_hash=tx_hash,
            log_index=log_index,
            address=comparable(chain_key, trader),
            side="buy" if side == "buy" else "sell",
            base_raw=base_raw,
            quote_raw=quote_raw,
        )
        for at, block, tx_hash, log_index, trader, side, base_raw, quote_raw in reversed(list(rows))
    )


# -- first coins --------------------------------------------------------------------------
def looked_up(
    trades: Sequence[Trade], holders: Sequence[tuple[str, int]], *, creator: str
) -> tuple[str, ...]:
    """Return whose first coins are looked up: creator, first buyers, largest holders, each once."""
    buyers = dict.fromkeys(trade.address for trade in trades if trade.side == "buy")
    named = (
        creator,
        *list(buyers)[:BUYERS_MAX],
        *(address for address, _ in holders[:HOLDERS_MAX]),
    )
    return tuple(dict.fromkeys(address for address in named if address))


def _funding(chain_key: str, addresses: Sequence[str]) -> tuple[tuple[FundingLink, ...], int]:
    """Return the links that are stored for these addresses, and of how many anything is known."""
    rows = FundingLinkRecord.objects.filter(chain_key=chain_key, target__in=addresses).exclude(source="")
    links = tuple(
        FundingLink(
            source=row.source,
            target=row.target,
            at_ms=_ms(row.at),
            amount_raw=row.amount_raw or 0,
            block=row.block_number or 0,
            tx_hash=row.tx_hash,
            is_hub=row.is_hub,
            paid_in_tx=row.paid_in_tx,
        )
        for row in rows
    )
    return links, len(links)


def funding_due(*, listing: Listing, facts: PairFacts, pair_id: int, now: datetime) -> tuple[str, ...]:
    """Return the addresses whose first coins nobody has looked up yet, or long ago in vain."""
    chain_key = listing.base.chain_key
    trades, _ = _trades(listing, facts, pair_id)
    holders = [(comparable(chain_key, address), raw) for address, raw in facts.holders or ()]
    nobody = _nobody(listing)
    wanted = [
        address
        for address in looked_up(trades or (), holders, creator=comparable(chain_key, listing.creator))
        if address not in nobody
    ]
    rows = FundingLinkRecord.objects.filter(chain_key=chain_key, target__in=wanted)
    fresh = {row.target for row in rows if row.source or row.looked_at > now - ASKED_AGAIN_AFTER}
    return tuple(address for address in wanted if address not in fresh)


def funding_store(*, chain_key: str, found: FirstCoins, now: datetime) -> int:
    """Keep who gave whom his first coins, and of whom it is unknown, with why. Return how many are known."""
    rows = [
        FundingLinkRecord(
            chain_key=chain_key,
            target=link.target,
            source=link.source,
            tx_hash=link.tx_hash,
            block_number=link.block,
            at=datetime.fromtimestamp(link.at_ms / 1_000, tz=UTC),
            amount_raw=link.amount_raw,
            is_hub=link.is_hub,
            paid_in_tx=link.paid_in_tx,
            looked_at=now,
        )
        for link in found.links
    ]
    rows += [
        FundingLinkRecord(chain_key=chain_key, target=target, reason=reason[:200], looked_at=now)
        for target, reason in found.unknown.items()
    ]
    FundingLinkRecord.objects.bulk_create(
        rows,
        batch_size=100,
        update_conflicts=True,
        unique_fields=["chain_key", "target"],
        update_fields=[
            *("source", "tx_hash", "block_number", "at", "amount_raw", "is_hub"),
            *("paid_in_tx", "reason", "looked_at"),
        ],
    )
    return len(found.links)


def _qualities(chain_key: str, addresses: Sequence[str]) -> dict[str, int]:
    rows = WalletRecord.objects.filter(chain_key=chain_key, address__in=addresses)
    return dict(rows.values_list("address", "quality_bps"))


# -- together in other pools --------------------------------------------------------------
def _together(chain_key: str, traders: set[str], *, pair_id: int | None) -> Mapping[tuple[str, str], int]:
    """Return in how many other pairs two of these traders acted together."""
    named = sorted(traders)[: MEMBERS_MAX // 4]
    rows = EntityMember.objects.filter(chain_key=chain_key, address__in=named, has_acted=True)
    if pair_id is not None:
        rows = rows.exclude(record__pair_id=pair_id)
    groups: defaultdict[tuple[int, int], list[str]] = defaultdict(list)
    for record, pair, address in rows.order_by("-record_id").values_list(
        "record_id", "record__pair_id", "address"
    )[:MEMBERS_MAX]:
        groups[pair, record].append(address)
    seen: defaultdict[int, set[tuple[str, str]]] = defaultdict(set)
    for (pair, _), members in groups.items():
        seen[pair].update(combinations(sorted(set(members))[:_GROUP_MAX], 2))
    return Counter(pair for pairs in seen.values() for pair in pairs)


# -- what is kept -------------------------------------------------------------------------
def entities_store(*, listing: Listing, pair_id: int, block_number: int, entities: Entities) -> int:
    """Keep a pair's entities and suspicions in the place of the earlier ones. Return how many groups were kept."""
    now, chain_key = timezone.now(), listing.base.chain_key
    groups = [(entity.members, entity.reasons, True) for entity in entities.merged]
    groups += [(reason.addresses, (reason,), False) for reason in entities.suspected]
    with transaction.atomic():
        EntityRecord.objects.filter(pair_id=pair_id).delete()
        records = EntityRecord.objects.bulk_create(
            EntityRecord(
                pair_id=pair_id,
                chain_key=chain_key,
                trace_id=listing.trace_id,
                key=members[0],
                is_merged=is_merged,
                codes=sorted({reason.code for reason in reasons}),
                reasons=[_reason_to_json(reason) for reason in reasons],
                block_number=block_number,
                created_at=now,
            )
            for members, reasons, is_merged in groups[:RECORDS_MAX]
        )
        EntityMember.objects.bulk_create(
            (
                EntityMember(
                    record=record,
                    chain_key=chain_key,
                    address=address,
                    has_acted=not ACTS.isdisjoint(record.codes),
                )
                for record, (members, _, _) in zip(records, groups, strict=False)
                for address in members
            ),
            batch_size=500,
        )
    return len(records)


def entities_stored(*, pair_id: int) -> Entities:
    """Return the entities and suspicions that were last kept of a pair; none when nobody has looked yet."""
    merged: list[Entity] = []
    suspected: list[MergeReason] = []
    rows = EntityRecord.objects.filter(pair_id=pair_id).prefetch_related("members")
    for row in rows[:RECORDS_MAX]:
        reasons = tuple(_reason_from_json(item) for item in row.reasons)
        if row.is_merged:
            members = tuple(sorted(member.address for member in row.members.all()))
            merged.append(Entity(key=row.key, members=members, reasons=reasons))
        else:
            suspected += reasons
    return Entities(merged=tuple(merged), suspected=tuple(suspected))


def entities_prune(*, now: datetime) -> int:
    """Delete the oldest groups and lookups past their age, some thousand at once; return how many."""
    pruned = 0
    for model, column in ((EntityRecord, "created_at"), (FundingLinkRecord, "looked_at")):
        old = model._default_manager.filter(**{f"{column}__lt": now - KEPT_FOR}).order_by(column)
        keys = list(old.values_list("pk", flat=True)[:_PRUNED_AT_ONCE_MAX])
        pruned += model._default_manager.filter(pk__in=keys).delete()[0]
    return pruned


def _reason_to_json(reason: MergeReason) -> dict[str, Any]:
    return {
        "code": reason.code,
        "addresses": list(reason.addresses),
        "evidence": list(reason.evidence),
        "weight_bps": reason.weight_bps,
    }


def _reason_from_json(item: Mapping[str, Any]) -> MergeReason:
    return MergeReason(
        code=str(item["code"]),
        addresses=tuple(item["addresses"]),
        evidence=tuple(item["evidence"]),
        weight_bps=int(item["weight_bps"]),
    )


def _ms(moment: datetime | None) -> int:
    return 0 if moment is None else int(moment.timestamp() * 1_000)
