"""Reads pairs, their pools and their makers. Writes nothing."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from typing import Any, Literal

from django.db.models import Count, F, OuterRef, Q, QuerySet, Subquery

from apps.chains.selectors import readable_chains, stable_addresses
from apps.discovery.logic.drained import PoolHealth, pool_health, token_health
from apps.discovery.logic.prices import pool_liquidity_usd_micros, pool_price, price_in_usd
from apps.discovery.models import FeedSighting, Pair, PoolSnapshot, PoolTrade, QuarantineItem
from apps.domain.ids import ChainKey
from apps.domain.market import DeployerCluster, DeployerHistory, Funding

#: Pages and judgements look at so many rows at most.
PAIRS_MAX = 500
POINTS_MAX = 2_000
TRADES_MAX = 500
DEPLOYER_PAIRS_MAX = 1_000
#: Pools of one token that an order looks at besides its own.
POOLS_BESIDE_MAX = 16


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


def pools_beside(pair: Pair) -> tuple[Pair, ...]:
    """Return the other known pools of a pair's token, deepest first, and those that join what they are paid with.

    All with their tokens; a pool whose tokens make no sense is left out.
    """
    standing = Pair.objects.filter(chain_key=pair.chain_key, removed_at=None)
    others = standing.filter(base_id=pair.base_id, quarantine_code="").exclude(pk=pair.pk)
    found = list(
        others.select_related("base", "quote").order_by(F("reserve_quote_raw").desc(nulls_last=True))[
            :POOLS_BESIDE_MAX
        ]
    )
    paid = {item.quote_id for item in found} - {pair.quote_id}
    if not paid:
        return tuple(found)
    joining = standing.filter(base_id__in=paid, quote_id=pair.quote_id, quarantine_code="BASE_IS_MONEY")
    return (
        *found,
        *joining.select_related("base", "quote").order_by(F("reserve_quote_raw").desc(nulls_last=True))[
            :POOLS_BESIDE_MAX
        ],
    )


def coin_prices(chain_key: str) -> QuerySet[PoolSnapshot]:
    """Return the snapshots that price a chain's own coin, newest first: those of dollar pools price a dollar."""
    return (
        PoolSnapshot.objects.filter(pair__chain_key=chain_key, quote_price_usd_micros__isnull=False)
        .exclude(pair__quote__address__in=stable_addresses(chain_key))
        .order_by("-id")
    )


def deployer_history(*, chain_key: str, creator: str, before_pair_id: int) -> DeployerHistory | None:
    """Return what became of the tokens this creator launched before this pair, on this chain; None for an unknown creator.

    The pair's own token is left out, so is what a reorganisation took away. A creator with more than 1000 earlier pools
    is judged by the newest 1000.
    """
    if not creator:
        return None
    return _history(_earlier_pairs(chain_key, before_pair_id=before_pair_id).filter(creator=creator))


def deployer_cluster(
    *, chain_key: str, pair_key: str, creator: str, funding: Funding | None = None
) -> DeployerCluster:
    """Return who launches with the same money as this pair's creator, and what became of all their earlier tokens.

    Those are the creator, whoever had its first coins from the same account, that account, and whoever had them from the
    creator. ``funding`` says who paid for the creator where no row does. Two queries at most.
    """
    row = (
        Pair.objects.filter(pair_key=pair_key).only("pk", "funder", "funding_state", "funding_reason").first()
    )
    if row is not None and row.funding_state:
        state, funder, reason = row.funding_state, row.funder, row.funding_reason
    elif funding is not None:
        state, funder, reason = funding.state, funding.funder, funding.reason
    else:
        state, funder, reason = "", "", "who paid for this launch was not looked up yet"
    is_known = state == "found" and bool(funder)
    if not creator or not (is_known or row is not None):
        return DeployerCluster(funder="", reason_unknown=reason, history=None)
    same = Q(creator=creator) | Q(funder=creator, funding_state="found")
    if is_known:
        same |= Q(funder=funder, funding_state="found") | Q(creator=funder)
    pairs = _earlier_pairs(chain_key, before_pair_id=None if row is None else row.pk).filter(same)
    rows = list(pairs.order_by("-pk").values_list(*_POOL_COLUMNS, "creator", "funder")[:DEPLOYER_PAIRS_MAX])
    makers = {maker for *_, maker, _ in rows if maker} - {creator}
    return DeployerCluster(
        funder=funder if is_known else "",
        reason_unknown="" if is_known else reason,
        history=_history_of(item[:-2] for item in rows) if is_known or makers else None,
        makers=len(makers),
        funded=tuple(sorted({maker for *_, maker, payer in rows if payer == creator and maker != creator})),
    )


def funding_due(*, chain_key: str, since: datetime, limit: int) -> tuple[int, ...]:
    """Return the pairs registered since then whose maker's first coins nobody has looked up yet, newest first."""
    rows = Pair.objects.filter(
        chain_key=chain_key, funding_state="", quarantine_code="", removed_at=None, registered_at__gte=since
    )
    return tuple(rows.order_by("-pk").values_list("pk", flat=True)[:limit])


def pool_addresses(*, chain_key: str, token_address: str) -> tuple[str, ...]:
    """Return the known pools of a token."""
    rows = Pair.objects.filter(chain_key=chain_key, base__address=token_address, removed_at=None)
    return tuple(rows.values_list("pool_address", flat=True)[:PAIRS_MAX])


_POOL_COLUMNS = ("base_id", "reserve_quote_raw", "peak_quote_raw", "quote__decimals", "price")


def _earlier_pairs(chain_key: str, *, before_pair_id: int | None) -> QuerySet[Pair]:
    """Return the pairs of a chain registered before this one, without those of its own token; None: all."""
    newest_price = PoolSnapshot.objects.filter(pair=OuterRef("pk")).order_by("-block_number")
    pairs = Pair.objects.filter(chain_key=chain_key, removed_at=None).annotate(
        price=Subquery(newest_price.values("quote_price_usd_micros")[:1])
    )
    if before_pair_id is None:
        return pairs
    own_base = Pair.objects.filter(pk=before_pair_id).values("base_id")[:1]
    return pairs.filter(pk__lt=before_pair_id).exclude(base_id__in=own_base)


def _history(pairs: QuerySet[Pair]) -> DeployerHistory:
    return _history_of(pairs.order_by("-pk").values_list(*_POOL_COLUMNS)[:DEPLOYER_PAIRS_MAX])


def _history_of(rows: Iterable[tuple[Any, ...]]) -> DeployerHistory:
    pools: dict[int, list[PoolHealth]] = defaultdict(list)
    for base_id, quote_raw, peak_quote_raw, decimals, price in rows:
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
