"""Reads pairs, their pools and their makers. Writes nothing."""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from typing import Literal

from django.db.models import Count, OuterRef, QuerySet, Subquery

from apps.chains.selectors import readable_chains
from apps.discovery.logic.drained import PoolHealth, pool_health, token_health
from apps.discovery.logic.prices import pool_liquidity_usd_micros, pool_price, price_in_usd
from apps.discovery.models import FeedSighting, Pair, PoolSnapshot, PoolTrade, QuarantineItem
from apps.domain.ids import ChainKey
from apps.domain.market import DeployerHistory

#: Pages and judgements look at so many rows at most.
PAIRS_MAX = 500
POINTS_MAX = 2_000
TRADES_MAX = 500
DEPLOYER_PAIRS_MAX = 1_000


@dataclass(frozen=True, slots=True, kw_only=True)
class PricePoint:
    """A pool's price after a block. Prices are for one whole base token; None where the pool was empty or no price known."""

    at: datetime
    block_number: int
    price_quote: Decimal | None
    price_usd: Decimal | None
    liquidity_usd_micros: int | None  # both sides


@dataclass(frozen=True, slots=True, kw_only=True)
class PairDetail:
    """A pair as its page shows it."""

    pair: Pair  # with its tokens
    latest: PricePoint | None  # None: no reserves were seen yet
    history: DeployerHistory | None  # None: the creator is unknown
    sightings: tuple[FeedSighting, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class RefusalCount:
    """How many pairs were set aside at registration for one reason."""

    code: str
    explanation: str
    count: int


def deployer_history(*, chain_key: str, creator: str, before_pair_id: int) -> DeployerHistory | None:
    """Return what became of the tokens this creator launched before this pair, on this chain; None for an unknown creator.

    The pair's own token is left out, so is what a reorganisation took away. A creator with more than 1000 earlier pools
    is judged by the newest 1000.
    """
    if not creator:
        return None
    own_base = Pair.objects.filter(pk=before_pair_id).values("base_id")[:1]
    newest_price = PoolSnapshot.objects.filter(pair=OuterRef("pk")).order_by("-block_number")
    rows = (
        Pair.objects.filter(chain_key=chain_key, creator=creator, pk__lt=before_pair_id, removed_at=None)
        .exclude(base_id__in=own_base)
        .annotate(price=Subquery(newest_price.values("quote_price_usd_micros")[:1]))
        .order_by("-pk")
        .values_list("base_id", "reserve_quote_raw", "peak_quote_raw", "quote__decimals", "price")
    )
    pools: dict[int, list[PoolHealth]] = defaultdict(list)
    for base_id, quote_raw, peak_quote_raw, decimals, price in rows[:DEPLOYER_PAIRS_MAX]:
        pools[base_id].append(
            pool_health(
                quote_raw=quote_raw,
                peak_quote_raw=peak_quote_raw,
                quote_decimals=decimals,
                quote_price_usd_micros=price,
            )
        )
    tokens = [token_health(tuple(healths)) for healths in pools.values()]
    return DeployerHistory(
        tokens=len(tokens),
        dead=tokens.count(PoolHealth.DEAD),
        alive=tokens.count(PoolHealth.ALIVE),
        unknown=tokens.count(PoolHealth.UNKNOWN),
    )


def pairs_recent(*, limit: int = 50, chain_key: str = "") -> QuerySet[Pair]:
    """Return the newest pairs with their tokens, newest first."""
    pairs = Pair.objects.select_related("base", "quote").order_by("-id")
    if chain_key:
        pairs = pairs.filter(chain_key=chain_key)
    return pairs[: min(limit, PAIRS_MAX)]


def pair_detail(*, pair_id: int) -> PairDetail | None:
    """Return a pair with everything its page shows, or None when there is none."""
    pair = Pair.objects.select_related("base", "quote").filter(pk=pair_id).first()
    if pair is None:
        return None
    series = price_series(pair=pair, limit=1)
    return PairDetail(
        pair=pair,
        latest=series[-1] if series else None,
        history=deployer_history(chain_key=pair.chain_key, creator=pair.creator, before_pair_id=pair.pk),
        sightings=tuple(pair.sightings.order_by("first_seen_at")[:20]),
    )


def price_series(
    *, pair: Pair, since: datetime | None = None, limit: int = POINTS_MAX
) -> tuple[PricePoint, ...]:
    """Return the newest prices of a pair (load it with its tokens) in the order of blocks."""
    snapshots = PoolSnapshot.objects.filter(pair=pair)
    if since is not None:
        snapshots = snapshots.filter(at__gte=since)
    newest = list(snapshots.order_by("-block_number")[: min(limit, POINTS_MAX)])
    return tuple(_price_point(pair, snapshot) for snapshot in reversed(newest))


def pool_trades(*, pair: Pair, limit: int = 50) -> QuerySet[PoolTrade]:
    """Return the newest swaps in the pair's pool, newest first."""
    trades = PoolTrade.objects.filter(pair=pair).order_by("-block_number", "-log_index")
    return trades[: min(limit, TRADES_MAX)]


def pairs_seen(*, since: datetime) -> int:
    """Return how many pairs were registered since this moment: the top of the funnel."""
    return Pair.objects.filter(registered_at__gte=since).count()


def refusals(*, since: datetime) -> tuple[RefusalCount, ...]:
    """Return why pairs registered since this moment were set aside, most frequent first."""
    rows = (
        Pair.objects.filter(registered_at__gte=since)
        .exclude(quarantine_code="")
        .values("quarantine_code", "quarantine_reason")
        .order_by("quarantine_code")
        .annotate(count=Count("pk"))
    )
    counts: dict[str, int] = defaultdict(int)
    explanations: dict[str, str] = {}
    for row in rows:
        counts[row["quarantine_code"]] += row["count"]
        explanations.setdefault(row["quarantine_code"], row["quarantine_reason"])
    return tuple(
        RefusalCount(code=code, explanation=explanations[code], count=count)
        for code, count in sorted(counts.items(), key=lambda item: -item[1])
    )


def feed_chains(feed: Literal["dexscreener", "geckoterminal"]) -> dict[str, ChainKey]:
    """Return the chains that can be read, by the feed's own name for them; chains without one are not asked for."""
    slug = f"{feed}_slug"
    rows = readable_chains().exclude(**{slug: ""}).values_list(slug, "key")
    return {name: ChainKey(key) for name, key in rows}


def quarantine_open_count() -> int:
    """Return how many samples wait for a person."""
    return QuarantineItem.objects.filter(status="open").count()


def _price_point(pair: Pair, snapshot: PoolSnapshot) -> PricePoint:
    price: Decimal | None = None
    liquidity: int | None = None
    if pair.base.decimals is not None and pair.quote.decimals is not None:
        price = pool_price(
            base_raw=snapshot.base_raw,
            quote_raw=snapshot.quote_raw,
            base_decimals=pair.base.decimals,
            quote_decimals=pair.quote.decimals,
        )
        liquidity = pool_liquidity_usd_micros(
            quote_raw=snapshot.quote_raw,
            quote_decimals=pair.quote.decimals,
            quote_price_usd_micros=snapshot.quote_price_usd_micros,
        )
    return PricePoint(
        at=snapshot.at,
        block_number=snapshot.block_number,
        price_quote=price,
        price_usd=price_in_usd(price, snapshot.quote_price_usd_micros),
        liquidity_usd_micros=liquidity,
    )
