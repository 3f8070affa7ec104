"""The same maker and the same token on other chains, capital's movements between chains, and one ranking over all of them."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping
from datetime import datetime, timedelta
from typing import Any, Final

from django.db.models import OuterRef, Q, QuerySet, Subquery

from apps.chains.selectors import chain_profiles
from apps.discovery.logic.drained import PoolHealth, pool_health, token_health
from apps.discovery.models import Pair, PoolSnapshot, PoolTrade
from apps.domain.estimate import Estimate
from apps.domain.market import DeployerHistory, Listing, PairFacts
from apps.domain.money import USD_MICROS, value_usd_micros
from apps.intelligence.logic.crosschain import (
    HOUR_MS,
    Candidate,
    ChainFlow,
    Flow,
    Ranked,
    elsewhere,
    flows_by_hour,
    ranked,
)
from apps.intelligence.logic.record import estimates_from_json
from apps.intelligence.models import AnalysisRecord

#: Rows of one look.
PAIRS_MAX: Final = 1_000
TRADES_MAX: Final = 20_000
RANKED_MAX: Final = 200
HOURS_MAX: Final = 24
#: Analyses older than this say nothing about now.
RANKED_WITHIN: Final = timedelta(hours=1)
_COLUMNS: Final = ("base_id", "reserve_quote_raw", "peak_quote_raw", "quote__decimals", "price")


def crosschain_estimates(
    *, listing: Listing, facts: PairFacts, pair_id: int | None, now_ms: int
) -> tuple[Estimate, ...]:
    """Return deployer_other_chains_tokens and _dead_bps, token_other_chains_tokens and _dead_bps. Two queries at most.

    A maker is the same by address or by who paid for it; a token by its symbol and its code.
    """
    del now_ms
    at_ms = facts.block.at_ms
    maker_reason = "" if listing.creator else "the creator of this pair is unknown"
    code = None if facts.probes is None else facts.probes.code
    if facts.probes is None:
        code_reason = "its code is read by the full look only"
    else:
        code_reason = "" if code else (facts.probes.missing.get("code") or "its code could not be read")
    chain_key = listing.base.chain_key
    made = None if maker_reason else _history(_made_by(listing, pair_id))
    twins = (
        None
        if code is None or code_reason
        else _history(_twins(chain_key, code.skeleton_hash, listing.base.symbol))
    )
    return (
        *elsewhere("deployer_other_chains", made, whose="this deployer", reason=maker_reason, as_of_ms=at_ms),
        *elsewhere("token_other_chains", twins, whose="this token", reason=code_reason, as_of_ms=at_ms),
    )


def _made_by(listing: Listing, pair_id: int | None) -> QuerySet[Pair]:
    """Return pairs of other chains by this maker, by who paid for it, or by whom it paid for."""
    creator = listing.creator
    same = Q(creator=creator) | Q(funder=creator, funding_state="found")
    if pair_id is not None:
        own = Pair.objects.filter(pk=pair_id, funding_state="found").exclude(funder="")
        funder = own.values("funder")[:1]
        same |= Q(funder__in=funder, funding_state="found") | Q(creator__in=funder)
    return _elsewhere(listing.base.chain_key).filter(same)


def _twins(chain_key: str, skeleton_hash: str, symbol: str) -> QuerySet[Pair]:
    """Return pairs of other chains whose token has the same code and symbol."""
    seen = AnalysisRecord.objects.filter(skeleton_hash=skeleton_hash).order_by().values("pair_id").distinct()
    return _elsewhere(chain_key).filter(pk__in=seen, base__symbol=symbol)


def _elsewhere(chain_key: str) -> QuerySet[Pair]:
    family = chain_key.partition(":")[0]
    newest_price = PoolSnapshot.objects.filter(pair=OuterRef("pk")).order_by("-block_number")
    return (
        Pair.objects.filter(removed_at=None, chain_key__startswith=f"{family}:")
        .exclude(chain_key=chain_key)
        .annotate(price=Subquery(newest_price.values("quote_price_usd_micros")[:1]))
    )


def _history(pairs: QuerySet[Pair]) -> DeployerHistory:
    pools: defaultdict[int, list[PoolHealth]] = defaultdict(list)
    rows: Iterable[tuple[Any, ...]] = pairs.order_by("-pk").values_list(*_COLUMNS)[:PAIRS_MAX]
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


# -- capital's movements ------------------------------------------------------------------
def capital_flows(*, now: datetime, hours: int = 1) -> tuple[ChainFlow, ...]:
    """Return what moved into and out of each chain's known pools, by whole hour of the clock, newest hour first.

    Purchases move money in, sales move it out; trades that cannot be valued in dollars are left out. Of very many trades
    the newest 20,000 count; an hour that they do not cover whole is left out unless there is no other.
    """
    first = now - timedelta(hours=min(hours, HOURS_MAX))
    prices = _quote_prices()
    rows = list(
        PoolTrade.objects.filter(at__gte=first, pair__removed_at=None)
        .order_by("-at")
        .values_list(
            "pair__chain_key", "at", "side", "quote_raw", "pair__quote__address", "pair__quote__decimals"
        )[:TRADES_MAX]
    )
    flows: list[Flow] = []
    for chain_key, at, side, quote_raw, quote, decimals in rows:
        price = prices.get((chain_key, quote.lower()))
        if price is None or decimals is None:
            continue
        worth = value_usd_micros(quote_raw, decimals=decimals, price_usd_micros=price)
        flows.append(
            Flow(
                chain_key=chain_key,
                at_ms=int(at.timestamp() * 1_000),
                usd_micros=worth if side == "buy" else -worth,
            )
        )
    found = flows_by_hour(flows)
    if len(rows) < TRADES_MAX:
        return found
    cut_ms = int(rows[-1][1].timestamp() * 1_000)
    whole = tuple(flow for flow in found if flow.hour_ms >= cut_ms)
    return whole or tuple(flow for flow in found if flow.hour_ms + HOUR_MS > cut_ms)


def _quote_prices() -> Mapping[tuple[str, str], int]:
    """Return what a whole quote token is worth, by chain and address: stables a dollar, wrapped coins as last seen."""
    prices: dict[tuple[str, str], int] = {}
    for profile in chain_profiles():
        for stable in profile.stables:
            prices[profile.chain_key, stable.address.lower()] = USD_MICROS
        wrapped = profile.wrapped_native.address
        newest = (
            PoolSnapshot.objects.filter(
                pair__chain_key=profile.chain_key,
                pair__quote__address__iexact=wrapped,
                quote_price_usd_micros__isnull=False,
            )
            .order_by("-pk")
            .values_list("quote_price_usd_micros", flat=True)
            .first()
        )
        if newest is not None:
            prices[profile.chain_key, wrapped.lower()] = newest
    return prices


# -- one ranking --------------------------------------------------------------------------
def pairs_ranked(
    *, scores: Mapping[int, int], now: datetime, limit: int = RANKED_MAX, hours: int = 1
) -> tuple[Ranked, ...]:
    """Return the pairs that were analysed lately on any chain, best first.

    ``scores`` are the scores of their verdicts by pair; a pair without one stands behind all that have one.
    """
    pressure = {flow.chain_key: flow.pressure_bps for flow in reversed(capital_flows(now=now, hours=hours))}
    rows = (
        AnalysisRecord.objects.filter(created_at__gte=now - RANKED_WITHIN)
        .order_by("-id")
        .values_list("pair_id", "pair__chain_key", "pair__base__symbol", "estimates")[:PAIRS_MAX]
    )
    candidates: dict[int, Candidate] = {}
    for pair_id, chain_key, symbol, stored in rows:
        if pair_id in candidates:
            continue
        by_code = {item.code: item.value for item in estimates_from_json(stored)}
        concert, loss = by_code.get("coordination_bps"), by_code.get("loss_probability")
        candidates[pair_id] = Candidate(
            pair_id=pair_id,
            chain_key=chain_key,
            symbol=symbol,
            score_bps=scores.get(pair_id),
            loss_bps=None if loss is None else int(loss),
            coordination_bps=None if concert is None else int(concert),
            pressure_bps=pressure.get(chain_key),
        )
    return ranked(tuple(candidates.values()))[: min(limit, RANKED_MAX)]
