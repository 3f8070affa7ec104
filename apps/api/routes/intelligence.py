"""What is known of pairs and markets."""

from __future__ import annotations

from decimal import Decimal
from typing import Annotated

from django.db.models import Exists, OuterRef, Q
from django.http import Http404, HttpRequest
from django.utils import timezone
from ninja import Path, Query, Router

from apps.api import shapes
from apps.api.operations import reads
from apps.api.paging import LIMIT_DEFAULT, Cursor, Limit, page_of
from apps.api.schemas import intelligence as s
from apps.api.schemas.base import Page, at_ms
from apps.discovery.models import Pair
from apps.domain.estimate import Estimate
from apps.intelligence.logic.insight import insight
from apps.intelligence.logic.record import estimates_from_json
from apps.intelligence.markets import MarketRow, market_rows
from apps.intelligence.models import AnalysisRecord
from apps.intelligence.services.statistics import processing_statistics
from apps.risk.logic.record import card_from_json
from apps.risk.models import VerdictRecord
from apps.risk.selectors import findings_of, verdict_latest
from apps.state.kept import kept_for
from apps.state.permissions import LOOK
from apps.trading.models import Opportunity

router = Router(tags=["intelligence"])
#: Statistics look into hundreds of analyses: an answer counts for so long.
KEPT_S = 2


@reads(router, "/pairs/recent", permission=LOOK, answers=Page[s.RecentPairOut])
def pairs_recent(
    request: HttpRequest,
    limit: Limit = LIMIT_DEFAULT,
    cursor: Cursor = "",
    chain_key: Annotated[str, Query(max_length=60)] = "",
) -> Page[s.RecentPairOut]:
    """List the newest pairs with what was concluded of them."""
    rows = Pair.objects.select_related("base", "quote")
    if chain_key:
        rows = rows.filter(chain_key=chain_key)
    return page_of(rows, limit=limit, cursor=cursor, make=_recent)


def _recent(rows: list[Pair]) -> list[s.RecentPairOut]:
    ids = [row.pk for row in rows]
    verdicts = {
        pair_id: (action, score, at)
        for pair_id, action, score, at in VerdictRecord.objects.filter(pair_id__in=ids)
        .order_by("id")
        .values_list("pair_id", "action", "score_bps", "created_at")
    }
    traces = dict(
        Opportunity.objects.filter(pair_id__in=ids).order_by("number").values_list("pair_id", "trace_id")
    )
    never = ("", None, None)
    return [
        s.RecentPairOut(
            pair=shapes.pair_out(row),
            trace_id=traces.get(row.pk, ""),
            action=verdicts.get(row.pk, never)[0],
            score_bps=verdicts.get(row.pk, never)[1],
            analysed_at=verdicts.get(row.pk, never)[2],
        )
        for row in rows
    ]


@reads(router, "/pairs/{address}/analysis", permission=LOOK, answers=s.AnalysisOut)
def pair_analysis(
    request: HttpRequest,
    address: Annotated[
        str, Path(pattern=r"^[0-9A-Za-z]{1,66}$", description="Of the pool, or of its token.")
    ],
    chain_key: Annotated[
        str, Query(max_length=60, description="Where an address is on several chains.")
    ] = "",
) -> s.AnalysisOut:
    """Return the newest analysis of a pair with all its estimates, and the verdict on it."""
    pair = _pair_at(address, chain_key)
    row = None if pair is None else AnalysisRecord.objects.filter(pair=pair).order_by("-id").first()
    if pair is None or row is None:
        raise Http404
    estimates = estimates_from_json(row.estimates)
    verdict = verdict_latest(pair_id=pair.pk)
    return s.AnalysisOut(
        pair=shapes.pair_out(pair),
        trace_id=row.trace_id,
        analysed_at=row.created_at,
        block_number=row.block_number,
        summary=insight(estimates).text,
        estimates=[_estimate(item) for item in estimates],
        missing=[str(item) for item in row.missing],
        verdict=None if verdict is None else _verdict(verdict),
    )


def _pair_at(address: str, chain_key: str) -> Pair | None:
    """Return the pool of this address, or the newest analysed pool of the token of this address."""
    rows = Pair.objects.select_related("base", "quote")
    if chain_key:
        rows = rows.filter(chain_key=chain_key)
    pool = rows.filter(pool_address__iexact=address).order_by("-id").first()
    if pool is not None:
        return pool
    analysed = AnalysisRecord.objects.filter(pair=OuterRef("pk"))
    tokens = rows.filter(Q(base__address__iexact=address), Exists(analysed))
    return tokens.order_by("-id").first()


def _estimate(item: Estimate) -> s.EstimateOut:
    return s.EstimateOut(
        code=item.code,
        value=item.value,
        low=item.low,
        high=item.high,
        unit=item.unit,
        confidence=item.confidence,
        n=item.n,
        source=item.source,
        as_of=at_ms(item.as_of_ms),
        reason_unknown=item.reason_unknown,
    )


def _verdict(row: VerdictRecord) -> s.VerdictOut:
    return s.VerdictOut(
        outcome=row.outcome,
        score_bps=row.score_bps,
        confidence_bps=row.confidence_bps,
        card=shapes.card_out(card_from_json(row.card)) if row.card else None,
        findings=[
            s.FindingOut(
                rule=item.rule,
                code=item.code,
                outcome=item.outcome.value,
                gate=item.gate.word,
                explanation=item.explanation,
                detail=item.detail,
            )
            for item in findings_of(row)
        ],
        config_revision=row.config_revision,
        created_at=row.created_at,
    )


@reads(router, "/market/regime", permission=LOOK, answers=s.MarketsOut)
def market_regime(request: HttpRequest) -> s.MarketsOut:
    """Tell how the markets stand, as of their newest daily candle."""
    return s.MarketsOut(markets=[_market(row) for row in market_rows()])


def _market(row: MarketRow) -> s.MarketOut:
    record = row.record
    return s.MarketOut(
        market=record.market,
        regime=row.state,
        is_stale=row.is_stale,
        is_simulated=record.is_simulated,
        confidence_bps=record.confidence_bps,
        volatility_state=record.volatility_state,
        hour_deviation_bps=record.hour_deviation_bps,
        breakout_bps=record.breakout_bps,
        breakout_level_usd=record.breakout_level,
        days=row.days,
        why=record.why,
        source=record.source,
        as_of=record.as_of,
    )


@reads(router, "/stats/processing", permission=LOOK, answers=s.ProcessingOut)
def processing_stats(request: HttpRequest) -> s.ProcessingOut:
    """Tell how analysing went in the last quarter of an hour; up to two seconds old."""
    return _processing()


@kept_for(KEPT_S)
def _processing() -> s.ProcessingOut:
    found = processing_statistics(now=timezone.now())
    return s.ProcessingOut(
        since=found.since,
        analyses=found.analyses,
        per_minute=Decimal(f"{found.per_minute:.2f}"),
        looked_into=found.looked_into,
        latencies=[
            s.PartOut(name=item.name, count=item.count, median_us=item.median_us, p95_us=item.p95_us)
            for item in found.latencies
        ],
        unknowns=[
            s.UnknownOut(code=item.code, count=item.count, unknown_bps=item.unknown_bps, reason=item.reason)
            for item in found.unknowns
        ],
        caches=[s.CacheOut(name=item.name, hits=item.hits, misses=item.misses) for item in found.caches],
    )
