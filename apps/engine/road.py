"""THE ROAD, in the order things happen.

    listen(chain) / scan_feeds ─▶ register ─▶ evaluate ─▶ execute ─▶ settle ─▶ watch (exits) ─▶ execute ─▶ settle

Looking can be repeated freely, signing can happen once, settling can be repeated freely: so there are three hops.
Each stage commits a row in a waiting state and nudges a worker; ``sweep`` picks up what no nudge reached.
"""

from __future__ import annotations

import logging
import time
from collections.abc import Callable, Sequence
from dataclasses import replace
from datetime import timedelta
from functools import partial

from celery import shared_task
from django.db import transaction
from django.utils import timezone

from apps.discovery.models import Pair
from apps.discovery.selectors import deployer_history
from apps.discovery.services.feeds import feed_scan
from apps.discovery.services.listings import RegisteredListing, listing_of, listings_register
from apps.domain.errors import Category, Recovery, SniperError
from apps.domain.ids import TraceId
from apps.domain.market import ChainEvent, DeployerHistory, Listing, PairFacts, SourceName
from apps.domain.verdict import Outcome
from apps.engine import context, housekeeping, refusals, wiring
from apps.engine.assessment import facts_completed
from apps.engine.entities import entities_ask
from apps.engine.nudges import nudge
from apps.engine.opinions import opinions_ask_of
from apps.intelligence.services.analysis import StoredAnalysis, analysis_run
from apps.intelligence.services.coordination import concert_alert
from apps.intelligence.services.crosschain import crosschain_estimates
from apps.intelligence.services.stopwatch import Stopwatch
from apps.risk.logic.judge import Assessment
from apps.risk.services.verdicts import StoredVerdict, verdict_issue
from apps.state.services.config import ActiveConfig, active_config
from apps.state.services.engine import engine_view
from apps.state.services.incidents import incident_from_error, incident_open, incidents_heal
from apps.state.tracing import bind_trace
from apps.trading.models import Opportunity, OpportunityStatus, Order
from apps.trading.services.decisions import entry_decide
from apps.trading.services.execution import order_execute
from apps.trading.services.opportunities import (
    opportunity_claim,
    opportunity_open,
    opportunity_quarantine,
    opportunity_release,
)
from apps.trading.services.reconciliation import orders_reconcile
from apps.trading.services.revocations import revocation_execute
from apps.trading.services.settlement import order_settle

logger = logging.getLogger(__name__)


# -- 1, 2: what exists --------------------------------------------------------------------
def register(chain_key: str, events: Sequence[ChainEvent], *, source: SourceName = "chain") -> int:
    """Register the pairs of these events and open an opportunity for each new one. Returns how many were new."""
    ports = wiring.chain_ports(chain_key)
    registered = listings_register(
        events=events, reader=ports.reader, chain=ports.profile, dexes=ports.dexes, source=source
    )
    open_opportunities(registered, source=source)
    return len(registered)


def open_opportunities(registered: Sequence[RegisteredListing], *, source: str) -> None:
    """Open an opportunity for each new listing and nudge its evaluation."""
    if not registered:
        return
    config = active_config().config
    with transaction.atomic():
        for item in registered:
            opportunity = opportunity_open(
                pair_id=item.pair_id, listing=item.listing, source=source, config=config
            )
            if opportunity.status == OpportunityStatus.WAITING:
                nudge("engine.evaluate", opportunity.pk)


@shared_task(name="engine.scan_feeds")
def scan_feeds() -> None:
    """Read the web feeds and register what the chain confirms."""
    for source in wiring.feed_sources():
        with guarded(f"feed/{source.name}"):
            open_opportunities(feed_scan(source=source, ports=wiring.chain_ports), source=source.name)


# -- 3, 4, 5, 6: what it is, may we, shall we ---------------------------------------------
@shared_task(name="engine.evaluate")
def evaluate(opportunity_id: int) -> None:
    """Analyse, judge and decide one opportunity; at most one worker has it."""
    if not opportunity_claim(opportunity_id=opportunity_id):
        return
    opportunity = Opportunity.objects.select_related("pair__base", "pair__quote").get(pk=opportunity_id)
    with bind_trace(opportunity.trace_id):
        try:
            _evaluate(opportunity)
        except SniperError as error:
            _evaluation_failed(opportunity, error)
        except Exception:
            logger.exception("evaluation failed", extra={"opportunity": opportunity_id})
            opportunity_quarantine(opportunity_id=opportunity_id, reason="our own code failed on this pair")
            _bug("evaluate", opportunity.trace_id)


def _evaluate(opportunity: Opportunity) -> None:
    pair: Pair = opportunity.pair
    ports = wiring.chain_ports(pair.chain_key)
    active = active_config()
    listing = replace(listing_of(pair), trace_id=TraceId(opportunity.trace_id))
    wallet_key = wiring.entry_wallet_key(
        ports.profile, number=opportunity.pk, takes_turns=active.config.wallets.take_turns
    )
    buyer = wiring.signer().address(wallet_key)
    started = time.monotonic()
    price = ports.reader.quote_price_usd_micros()
    probe_raw = housekeeping.probe_amount_raw(active.config, ports.profile, price)
    facts = ports.reader.pair_facts(
        listing, buyer=buyer, probe_amount_raw=probe_raw, previous_swaps_from=pair.created_block_number
    )
    facts_ms = _ms_since(started)
    history = deployer_history(chain_key=pair.chain_key, creator=pair.creator, before_pair_id=pair.pk)
    gathered = context.gathered(listing=listing, facts=facts, history=history, pair_id=pair.pk)
    look = partial(_look, pair, listing=listing, history=history, active=active, gathered=gathered)
    stored, verdict = look(
        facts=facts, facts_ms=facts_ms, assessment="first_look", stopwatch=gathered.stopwatch
    )
    opinions_ask_of(listing, verdict.verdict)
    # The dearer look is for what would be bought otherwise, and for what a person wants all the same.
    if verdict.verdict.outcome is Outcome.PASS or opportunity.advanced_id is not None:
        started = time.monotonic()
        facts = facts_completed(ports.reader, listing, facts, buyer=buyer, probe_amount_raw=probe_raw)
        facts_ms += _ms_since(started)
        stored, verdict = look(facts=facts, facts_ms=facts_ms, assessment="full", stopwatch=Stopwatch())
        entities_ask(pair.pk)  # for the next look and for as long as we hold it
    concert_alert(
        listing=listing,
        pair_id=pair.pk,
        found=gathered.concert,
        limit_bps=active.config.rules.coordination_max_bps,
    )
    order = entry_decide(
        opportunity=opportunity,
        listing=listing,
        analysis=stored,
        verdict=verdict,
        facts=facts,
        ports=ports.execution,
        wallet_key=wallet_key,
        active=active,
        engine=engine_view(),
    )
    if order is not None:
        nudge("engine.execute", order.pk)


def _ms_since(started: float) -> int:
    return int((time.monotonic() - started) * 1000)


def _look(
    pair: Pair,
    *,
    listing: Listing,
    history: DeployerHistory | None,
    active: ActiveConfig,
    gathered: context.Gathered,
    facts: PairFacts,
    facts_ms: int,
    assessment: Assessment,
    stopwatch: Stopwatch,
) -> tuple[StoredAnalysis, StoredVerdict]:
    """Analyse and judge what was read, and keep both."""
    stored = analysis_run(
        listing=listing,
        pair_id=pair.pk,
        facts=facts,
        history=history,
        now_ms=housekeeping.now_ms(),
        facts_duration_ms=facts_ms,
        stopwatch=stopwatch,
        also=(
            *gathered.estimates,
            *crosschain_estimates(
                listing=listing, facts=facts, pair_id=pair.pk, now_ms=housekeeping.now_ms()
            ),
        ),
    )
    verdict = verdict_issue(
        analysis=stored.analysis,
        analysis_id=stored.record_id,
        pair_id=pair.pk,
        config=active.config,
        config_revision=active.revision,
        assessment=assessment,
    )
    return stored, verdict


def _evaluation_failed(opportunity: Opportunity, error: SniperError) -> None:
    """Come back later after a fault of the outside; drop the pair after a fault of its own data."""
    logger.warning("evaluation was not possible", extra={"code": error.code, "error": str(error)})
    incident_from_error(error, dedup_key=f"evaluate/{opportunity.pair.chain_key}/{error.code}")
    if error.recovery in (Recovery.QUARANTINE, Recovery.SKIP):
        opportunity_quarantine(opportunity_id=opportunity.pk, reason=str(error))
        return
    opportunity_release(opportunity_id=opportunity.pk, retry_after=timezone.now() + timedelta(seconds=2))


# -- 7: sign and send ---------------------------------------------------------------------
@shared_task(name="engine.execute")
def execute(order_id: int) -> None:
    """Sign and send one order, at most once; then look for its receipt."""
    order = Order.objects.only("trace_id", "chain_key").get(pk=order_id)
    with bind_trace(order.trace_id), guarded(f"execute/{order.chain_key}", trace_id=order.trace_id):
        order_execute(
            order_id=order_id,
            ports=wiring.chain_ports(order.chain_key).execution,
            worker=housekeeping.worker_name(),
        )


@shared_task(name="engine.revoke")
def revoke(revocation_id: int) -> None:
    """Sign and send what takes an approval back, at most once; settlement follows it as it follows its order."""
    order = Order.objects.only("trace_id", "chain_key").get(revocations=revocation_id)
    with bind_trace(order.trace_id), guarded(f"revoke/{order.chain_key}", trace_id=order.trace_id):
        revocation_execute(revocation_id=revocation_id, ports=wiring.chain_ports(order.chain_key).execution)


# -- 8, 9, 10: what the chain says --------------------------------------------------------
@shared_task(name="engine.settle")
def settle(order_id: int) -> None:
    """Book what the chain says about one order; repeatable at will."""
    order = Order.objects.only("trace_id", "chain_key").get(pk=order_id)
    with bind_trace(order.trace_id), guarded(f"settle/{order.chain_key}", trace_id=order.trace_id):
        order_settle(order_id=order_id, ports=wiring.chain_ports(order.chain_key).execution)


def recover(chain_key: str) -> None:
    """Ask the chain about every order in flight and book what the wallet holds: after a start nothing is assumed."""
    with guarded(f"recover/{chain_key}"):
        ports = wiring.chain_ports(chain_key).execution
        orders_reconcile(chain_key=chain_key, ports=ports)
        housekeeping.reconcile_chain(chain_key)


# -- housekeeping -------------------------------------------------------------------------
@shared_task(name="engine.reconcile")
def reconcile() -> None:
    """Compare the books with every chain, and close what has mended itself."""
    incidents_heal()
    for chain_key in housekeeping.followed_chain_keys():
        with guarded(f"reconcile/{chain_key}"):
            housekeeping.reconcile_chain(chain_key)


@shared_task(name="engine.scoreboard")
def scoreboard() -> None:
    """Follow what was refused: it shows what each rule saves and costs."""
    for chain_key in housekeeping.followed_chain_keys():
        with guarded(f"scoreboard/{chain_key}"):
            refusals.follow(chain_key)
    refusals.prune()


@shared_task(name="engine.prune")
def prune() -> None:
    """Delete raw market data past its age; the books stay."""
    housekeeping.prune()


class guarded:  # noqa: N801  # used like a function: with guarded(...)
    """Turn a surprise at the edge of the road into an incident, so that the rest goes on.

    A SniperError names its own recovery; anything else is a bug of ours.
    """

    def __init__(
        self, where: str, *, trace_id: str = "", on_error: Callable[[BaseException], None] | None = None
    ) -> None:
        self.where, self.trace_id, self.on_error = where, trace_id, on_error

    def __enter__(self) -> None:
        return None

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: object) -> bool:
        if error is None or not isinstance(error, Exception):
            return False
        if isinstance(error, SniperError):
            logger.warning("%s was not possible", self.where, extra={"code": error.code, "error": str(error)})
            incident_from_error(error, dedup_key=f"{self.where}/{error.code}", trace_id=self.trace_id)
        else:
            logger.error("%s failed", self.where, exc_info=error)
            _bug(self.where, self.trace_id)
        if self.on_error is not None:
            self.on_error(error)
        return True


def _bug(where: str, trace_id: str) -> None:
    incident_open(
        code="UNEXPECTED_ERROR",
        category=Category.SYSTEM,
        recovery=Recovery.SKIP,
        severity="critical",
        title=f"Unexpected error in {where}",
        detail="Our own code failed. The log holds the details under this trace.",
        remedy="The affected item was set aside and everything else goes on. Please report it with the log lines.",
        dedup_key=f"bug/{where}",
        trace_id=trace_id,
    )
