"""Reads analyses. Writes nothing."""

from __future__ import annotations

from collections import defaultdict

from django.db.models import OuterRef, Subquery

from apps.discovery.logic.drained import PoolHealth, pool_health, token_health
from apps.discovery.models import Pair, PoolSnapshot
from apps.domain.analysis import Evidence
from apps.domain.estimate import Estimate
from apps.domain.market import DeployerHistory
from apps.domain.probes import TokenProbes
from apps.intelligence.logic.probes_record import evidence_from_json, probes_from_json
from apps.intelligence.logic.record import estimates_from_json
from apps.intelligence.models import AnalysisRecord, FundingLinkRecord

#: Pools of identical code that are looked at.
SAME_CODE_PAIRS_MAX = 1_000
#: Addresses that one account gave their first coins.
FUNDED_MAX = 1_000


def analysis_latest(*, pair_id: int) -> AnalysisRecord | None:
    """Return the pair's newest analysis, or None when there is none."""
    return AnalysisRecord.objects.filter(pair_id=pair_id).order_by("-id").first()


def estimates_of(record: AnalysisRecord) -> tuple[Estimate, ...]:
    """Return a stored analysis's estimates, in the order in which people read them."""
    return estimates_from_json(record.estimates)


def evidence_of(record: AnalysisRecord) -> tuple[Evidence, ...]:
    """Return the calls that show what a stored analysis holds against the token."""
    return evidence_from_json(record.evidence)


def probes_of(record: AnalysisRecord) -> TokenProbes | None:
    """Return what a stored full assessment observed, None after a first look."""
    return None if record.probes is None else probes_from_json(record.probes)


def funded_by(*, chain_key: str, source: str) -> tuple[str, ...]:
    """Return the addresses whose first coins are known to come from this account, unless it pays very many."""
    if not source:
        return ()
    compared = source.lower() if chain_key.startswith("eip155:") else source
    rows = FundingLinkRecord.objects.filter(chain_key=chain_key, source=compared, is_hub=False)
    return tuple(rows.order_by("id").values_list("target", flat=True)[:FUNDED_MAX])


def code_history(*, skeleton_hash: str, apart_from_address: str) -> DeployerHistory:
    """Return what became of other tokens whose code is the same, on any chain; of many pools the newest 1000 count."""
    seen = AnalysisRecord.objects.filter(skeleton_hash=skeleton_hash).order_by().values("pair_id").distinct()
    newest_price = PoolSnapshot.objects.filter(pair=OuterRef("pk")).order_by("-block_number")
    rows = (
        Pair.objects.filter(pk__in=seen, removed_at=None)
        .exclude(base__address__iexact=apart_from_address)
        .annotate(price=Subquery(newest_price.values("quote_price_usd_micros")[:1]))
        .order_by("-pk")
        .values_list("base_id", "reserve_quote_raw", "peak_quote_raw", "quote__decimals", "price")
    )
    pools: dict[int, list[PoolHealth]] = defaultdict(list)
    for base_id, quote_raw, peak_quote_raw, decimals, price in rows[:SAME_CODE_PAIRS_MAX]:
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
