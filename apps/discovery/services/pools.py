"""Keeps what the pools did: newest reserves, snapshots and trades. Storing the same twice changes nothing."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from django.db import transaction
from django.db.models import Q

from apps.chains.selectors import chain_profile
from apps.discovery.models import Pair, PoolSnapshot, PoolTrade
from apps.domain.market import BlockRef, PoolReserves, PoolSwap
from apps.domain.money import USD_MICROS

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
#: Rows of one INSERT: far below what SQLite takes.
ROWS_PER_INSERT_MAX = 500


@dataclass(frozen=True, slots=True, kw_only=True)
class ActivityReport:
    """What one call has stored."""

    pairs: int  # pairs whose newest reserves moved on
    snapshots: int
    trades: int
    unknown_pairs: int  # reserves or swaps of pools that we do not know


def activity_store(
    *,
    chain_key: str,
    reserves: Sequence[PoolReserves],
    swaps: Sequence[PoolSwap],
    quote_price_usd_micros: int | None,
) -> ActivityReport:
    """Store reserve updates (in log order: the last of a block stands) and swaps of known pools.

    ``quote_price_usd_micros`` is the price of one whole native coin, None when unknown; stablecoins are priced at one
    dollar. Reserves of an older block never overwrite those of a newer one.
    """
    if not reserves and not swaps:
        return ActivityReport(pairs=0, snapshots=0, trades=0, unknown_pairs=0)
    keys = {item.pair_key for item in reserves} | {item.pair_key for item in swaps}
    pairs = _pairs_by_key(keys, chain_key=chain_key)
    prices = _price_by_quote(chain_key, quote_price_usd_micros)
    last_of_block: dict[tuple[str, int], PoolReserves] = {}
    for update in reserves:
        if update.pair_key in pairs:
            last_of_block[update.pair_key, update.block.number] = update
    snapshots = [
        PoolSnapshot(
            pair_id=pairs[update.pair_key].pk,
            block_number=update.block.number,
            block_hash=update.block.hash,
            at=_time_of(update.block),
            base_raw=update.base_raw,
            quote_raw=update.quote_raw,
            quote_price_usd_micros=prices.get(pairs[update.pair_key].quote.address.lower()),
        )
        for update in last_of_block.values()
    ]
    trades = [
        PoolTrade(
            pair_id=pairs[swap.pair_key].pk,
            block_number=swap.block.number,
            at=_time_of(swap.block),
            tx_hash=swap.tx_hash,
            log_index=swap.log_index,
            side=swap.side,
            trader=swap.trader,
            base_raw=swap.base_raw,
            quote_raw=swap.quote_raw,
        )
        for swap in swaps
        if swap.pair_key in pairs
    ]
    with transaction.atomic():
        PoolSnapshot.objects.bulk_create(
            snapshots,
            batch_size=ROWS_PER_INSERT_MAX,
            update_conflicts=True,
            unique_fields=["pair", "block_number"],
            update_fields=["block_hash", "at", "base_raw", "quote_raw", "quote_price_usd_micros"],
        )
        PoolTrade.objects.bulk_create(trades, batch_size=ROWS_PER_INSERT_MAX, ignore_conflicts=True)
        updates: dict[str, list[PoolReserves]] = {}
        for update in last_of_block.values():
            updates.setdefault(update.pair_key, []).append(update)
        moved = sum(_move_pair(pairs[key], updates[key]) for key in sorted(updates))
    return ActivityReport(
        pairs=moved, snapshots=len(snapshots), trades=len(trades), unknown_pairs=len(keys) - len(pairs)
    )


def activity_prune(*, before: datetime, rows_max: int = 20_000) -> int:
    """Delete the oldest snapshots and trades from before this moment, at most so many of each. Return how many."""
    pruned = 0
    for model in (PoolSnapshot, PoolTrade):
        oldest = model.objects.filter(at__lt=before).order_by("at").values_list("pk", flat=True)[:rows_max]
        count, _ = model.objects.filter(pk__in=list(oldest)).delete()
        pruned += count
    return pruned


def _pairs_by_key(keys: Iterable[str], *, chain_key: str) -> dict[str, Pair]:
    rows = (
        Pair.objects.filter(chain_key=chain_key, pair_key__in=list(keys))
        .select_related("quote")
        .only("pair_key", "quote__address", "peak_quote_raw", "reserve_block_number")
    )
    return {row.pair_key: row for row in rows}


def _price_by_quote(chain_key: str, native_price_usd_micros: int | None) -> Mapping[str, int | None]:
    profile = chain_profile(chain_key)
    prices: dict[str, int | None] = {token.address.lower(): USD_MICROS for token in profile.stables}
    prices[profile.wrapped_native.address.lower()] = native_price_usd_micros
    return prices


def _move_pair(pair: Pair, updates: Sequence[PoolReserves]) -> int:
    """Move the pair's newest reserves on and raise its peak. Both conditions are part of the update: writers may race."""
    newest = max(updates, key=lambda item: item.block.number)
    moved = 0
    if pair.reserve_block_number is None or pair.reserve_block_number <= newest.block.number:
        moved = Pair.objects.filter(
            Q(reserve_block_number=None) | Q(reserve_block_number__lte=newest.block.number), pk=pair.pk
        ).update(
            reserve_base_raw=newest.base_raw,
            reserve_quote_raw=newest.quote_raw,
            reserve_block_number=newest.block.number,
            reserve_at=_time_of(newest.block),
        )
    peak = max(item.quote_raw for item in updates)
    if pair.peak_quote_raw is None or pair.peak_quote_raw < peak:
        Pair.objects.filter(Q(peak_quote_raw=None) | Q(peak_quote_raw__lt=peak), pk=pair.pk).update(
            peak_quote_raw=peak
        )
    return moved


def _time_of(block: BlockRef) -> datetime:
    return _EPOCH + timedelta(milliseconds=block.at_ms)
