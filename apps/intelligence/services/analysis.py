"""Judge what was read about a pair, and keep it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

from django.db import transaction
from django.utils import timezone

from apps.chains.selectors import chain_profile, dex_profiles, locker_addresses
from apps.discovery.selectors import deployer_cluster, pool_addresses
from apps.domain.analysis import Analysis
from apps.domain.estimate import Estimate
from apps.domain.events import EventKind
from apps.domain.market import DeployerCluster, DeployerHistory, Funding, Listing, PairFacts
from apps.intelligence.logic.analyse import Run, analyse
from apps.intelligence.logic.insight import insight
from apps.intelligence.logic.probes_record import evidence_to_json, probes_to_json
from apps.intelligence.logic.record import estimates_to_json
from apps.intelligence.logic.subject import Subject
from apps.intelligence.models import AnalysisRecord
from apps.intelligence.selectors import code_history, funded_by
from apps.intelligence.services.stopwatch import Stopwatch, caches_since_last
from apps.state.services.events import event_record
from apps.wallets.selectors import wallet_views


@dataclass(frozen=True, slots=True, kw_only=True)
class StoredAnalysis:
    """An analysis and the row that keeps it."""

    analysis: Analysis
    record_id: int


def analysis_run(
    *,
    listing: Listing,
    pair_id: int,
    facts: PairFacts,
    history: DeployerHistory | None,
    now_ms: int,
    facts_duration_ms: int = 0,
    also: Sequence[Estimate] = (),
    stopwatch: Stopwatch | None = None,
) -> StoredAnalysis:
    """Return the analysis of these facts, stored together with its event.

    ``history`` None: the creator is unknown. ``also``: estimates that others made of the same facts, kept with ours;
    ``stopwatch`` holds how long those took.
    Raises ConfigurationError when the listing's chain is not configured.
    """
    watch = Stopwatch() if stopwatch is None else stopwatch
    analysis = analysis_of(listing=listing, facts=facts, history=history, now_ms=now_ms, run=watch.part)
    analysis = replace(analysis, estimates=(*analysis.estimates, *also))
    unknown = [item.code for item in analysis.estimates if not item.is_known]
    known_count = len(analysis.estimates) - len(unknown)
    told = insight(analysis.estimates)
    with transaction.atomic():
        record = AnalysisRecord.objects.create(
            trace_id=analysis.trace_id,
            pair_id=pair_id,
            block_number=analysis.block.number,
            block_hash=analysis.block.hash,
            estimates=estimates_to_json(analysis.estimates),
            missing=list(analysis.missing),
            evidence=evidence_to_json(analysis.evidence),
            probes=None if facts.probes is None else probes_to_json(facts.probes),
            skeleton_hash=facts.probes.code.skeleton_hash if facts.probes and facts.probes.code else "",
            facts_duration_ms=facts_duration_ms,
            durations_us=watch.durations_us,
            caches=caches_since_last(),
            created_at=timezone.now(),
        )
        event_record(
            kind=EventKind.NEW_PAIR_ANALYSIS,
            trace_id=analysis.trace_id,
            subject=f"pair:{pair_id}",
            summary=f"{listing.base.symbol}/{listing.quote.symbol} analysed:"
            f" {known_count} of {len(analysis.estimates)} figures known"
            f"{'; ' if told.strongest else ''}{told.strongest}",
            payload={
                "analysis": record.pk,
                "block": analysis.block.number,
                "unknown": unknown,
                "insight": told.text,
            },
        )
    return StoredAnalysis(analysis=analysis, record_id=record.pk)


def analysis_of(
    *,
    listing: Listing,
    facts: PairFacts,
    history: DeployerHistory | None,
    now_ms: int,
    funding: Funding | None = None,
    run: Run | None = None,
) -> Analysis:
    """Return the analysis of these facts and store nothing: of a token that somebody merely asks about.

    ``funding`` says who paid for the launch of a pair that is not registered. ``run`` runs each part, to be timed.
    """
    chain_key = listing.base.chain_key
    subject = Subject(
        listing=listing,
        facts=facts,
        history=history,
        wrapped_native_address=chain_profile(chain_key).wrapped_native.address,
        now_ms=now_ms,
        lockers=frozenset(locker_addresses(chain_key)),
        own_addresses=frozenset(wallet.address for wallet in wallet_views()),
        code_history=_code_history(listing, facts),
        routers=frozenset(dex.router for dex in dex_profiles(chain_key)),
        pools=frozenset(pool_addresses(chain_key=chain_key, token_address=listing.base.address)),
        cluster=_cluster(listing, funding),
    )
    return analyse(subject) if run is None else analyse(subject, run=run)


def _cluster(listing: Listing, funding: Funding | None) -> DeployerCluster:
    """Return who launches with the same money, and everybody whose first coins are known to be the creator's."""
    chain_key = listing.base.chain_key
    cluster = deployer_cluster(
        chain_key=chain_key, pair_key=listing.pair_key, creator=listing.creator, funding=funding
    )
    paid = funded_by(chain_key=chain_key, source=listing.creator)
    return replace(cluster, funded=tuple(dict.fromkeys((*cluster.funded, *paid))))


def _code_history(listing: Listing, facts: PairFacts) -> DeployerHistory | None:
    if facts.probes is None or facts.probes.code is None:
        return None
    return code_history(
        skeleton_hash=facts.probes.code.skeleton_hash, apart_from_address=listing.base.address
    )
