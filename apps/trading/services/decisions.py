"""Decisions: facts gathered, judged by the pure core, and kept with all they were made from."""

from __future__ import annotations

from dataclasses import asdict, replace
from typing import Any

from django.db import transaction
from django.db.models import Max
from django.utils import timezone

from apps.domain.config import Execution
from apps.domain.decision import Reason, TradeDecision
from apps.domain.engine import EngineView
from apps.domain.events import EventKind
from apps.domain.ids import NATIVE_ADDRESS
from apps.domain.market import FeeQuote, Listing, PairFacts
from apps.domain.verdict import Outcome
from apps.intelligence.services.analysis import StoredAnalysis
from apps.risk.services.budgets import budget_view
from apps.risk.services.limits import entry_limits
from apps.risk.services.verdicts import StoredVerdict
from apps.state.services.config import ActiveConfig
from apps.state.services.events import event_record
from apps.state.services.heartbeats import is_alive
from apps.trading.logic.core import entry_case_reduced, step_entry
from apps.trading.logic.entry_case import EntryCase, EntryFacts
from apps.trading.logic.exit_part import part_decision_from_inputs
from apps.trading.logic.guard import guard_decision_from_inputs
from apps.trading.logic.ranking import priority
from apps.trading.logic.record import EntryInputs, decision_from_inputs, entry_inputs
from apps.trading.logic.steering import Steering
from apps.trading.logic.ways import may_strangers_see
from apps.trading.models import DecisionRecord, Opportunity, Order, Position
from apps.trading.services.clock import ms_of
from apps.trading.services.opportunities import opportunity_settle
from apps.trading.services.orders import order_create
from apps.trading.services.ports import ExecutionPorts
from apps.trading.services.wishes import entry_wish


def entry_decide(
    *,
    opportunity: Opportunity,
    listing: Listing,
    analysis: StoredAnalysis,
    verdict: StoredVerdict,
    facts: PairFacts,
    ports: ExecutionPorts,
    wallet_key: str,
    active: ActiveConfig,
    engine: EngineView,
) -> Order | None:
    """Decide about a claimed opportunity; return the entry order, or None when it was skipped.

    ``active`` is the configuration as a person set it: what is known of pair and market narrows it here.

    Decision, order, reserved budget and the opportunity's new state are one transaction. Raises NetworkError when fees
    or balance cannot be read.
    """
    wish, added_to = entry_wish(
        opportunity,
        active=active,
        engine=engine,
        price=facts.quote_price_usd_micros,
        decimals=ports.profile.native.decimals,
    )
    if opportunity.advanced is not None:  # the wallet that was asked for, or that holds what is added to
        wallet_key = opportunity.advanced.wallet_key
    fees: FeeQuote | None = None
    balance: int | None = None
    # A refused pair needs no size, unless a person may have accepted what refuses it.
    if verdict.verdict.outcome is Outcome.PASS or opportunity.advanced_id is not None:
        fees = ports.reader.fees()
        owner = ports.signer.address(wallet_key)
        balance = ports.reader.balances(owner, [NATIVE_ADDRESS]).get(NATIVE_ADDRESS)
    entry_facts = _entry_facts(
        opportunity,
        listing=listing,
        facts=facts,
        ports=ports,
        engine=engine,
        fees=fees,
        wallet_native_raw=balance,
        settings=active.config.execution,
    )
    if added_to is not None:  # what is added to is no reason to keep away from it
        entry_facts = replace(entry_facts, token_exit_at_ms=None)
    limits = entry_limits(active=active, analysis=analysis.analysis, verdict=verdict.verdict)
    case = entry_case_reduced(
        verdict=verdict.verdict,
        analysis=analysis.analysis,
        config=limits.config,
        config_revision=active.revision,
        facts=entry_facts,
        wish=wish,
        steering=Steering(
            position_max_usd=active.config.limits.position_max_usd,
            size_bps=limits.size_bps,
            adjustments=limits.adjustments,
        ),
    )
    return _apply(
        opportunity,
        case=case,
        analysis_id=analysis.record_id,
        verdict_id=verdict.record_id,
        wallet_key=wallet_key,
        epoch=engine.epoch,
        added_to=added_to,
    )


def _entry_facts(
    opportunity: Opportunity,
    *,
    listing: Listing,
    facts: PairFacts,
    ports: ExecutionPorts,
    engine: EngineView,
    fees: FeeQuote | None,
    wallet_native_raw: int | None,
    settings: Execution,
) -> EntryFacts:
    now_ms, budget, profile = ms_of(timezone.now()), budget_view(), ports.profile
    return EntryFacts(
        now_ms=now_ms,
        give_up_at_ms=ms_of(opportunity.give_up_at),
        engine_may_enter=engine.may_enter,
        engine_status=engine.status.value,
        exits_watched=is_alive(component=f"listener/{profile.chain_key}"),
        native=profile.native,
        wrapped_native_address=profile.wrapped_native.address,
        reserves=facts.reserves,
        quote_price_usd_micros=facts.quote_price_usd_micros,
        fees=fees,
        wallet_native_raw=wallet_native_raw,
        open_positions=budget.open_positions,
        exposure_usd_micros=budget.exposure_usd_micros,
        realised_today_usd_micros=budget.realised_today_usd_micros,
        token_exit_at_ms=_token_exit_at_ms(listing, now_ms),
        deployer_loss_at_ms=_deployer_loss_at_ms(listing),
        block_time_ms=profile.block_time_ms,
        has_public_mempool=may_strangers_see(
            has_public_mempool=profile.has_public_mempool,
            has_relays=bool(ports.relays),
            settings=settings,
        ),
    )


def _token_exit_at_ms(listing: Listing, now_ms: int) -> int | None:
    """Return when we last sold this token; now while we hold it."""
    rows = Position.objects.filter(
        pair__base__chain_key=listing.base.chain_key, pair__base__address=listing.base.address
    )
    if rows.exclude(status="closed").exists():
        return now_ms
    last = rows.aggregate(last=Max("closed_at"))["last"]
    return None if last is None else ms_of(last)


def _deployer_loss_at_ms(listing: Listing) -> int | None:
    """Return when a token of this deployer last brought us a loss; a stuck position is one from its beginning."""
    if not listing.creator:
        return None
    rows = Position.objects.filter(chain_key=listing.base.chain_key, pair__creator=listing.creator)
    closed = rows.filter(realised_usd_micros__lt=0).aggregate(last=Max("closed_at"))["last"]
    stuck = rows.filter(status="stuck").aggregate(last=Max("opened_at"))["last"]
    moments = [ms_of(item) for item in (closed, stuck) if item is not None]
    return max(moments, default=None)


def _apply(
    opportunity: Opportunity,
    *,
    case: EntryCase,
    analysis_id: int,
    verdict_id: int,
    wallet_key: str,
    epoch: int,
    added_to: Position | None,
) -> Order | None:
    decision = _decision_of(case, None)
    with transaction.atomic():
        rank = priority(case.verdict, decision)
        if not opportunity_settle(opportunity_id=opportunity.pk, decision=decision, priority=rank):
            return None  # taken back meanwhile: whoever has it decides
        record = decision_record(
            opportunity=opportunity,
            decision=decision,
            inputs=entry_inputs(EntryInputs(case=case)),
            analysis_id=analysis_id,
            verdict_id=verdict_id,
        )
        if decision.action == "skip":
            return None
        order = order_create(
            decision=decision,
            record=record,
            wallet_key=wallet_key,
            chain_key=case.facts.native.chain_key,
            epoch=epoch,
            config=case.config,
            added_to=added_to,
        )
        if isinstance(order, Order):
            return order
        skipped = _decision_of(case, order)
        Opportunity.objects.filter(pk=opportunity.pk).update(status="evaluating")
        opportunity_settle(
            opportunity_id=opportunity.pk, decision=skipped, priority=priority(case.verdict, skipped)
        )
        decision_record(
            opportunity=opportunity,
            decision=skipped,
            inputs=entry_inputs(EntryInputs(case=case, refused=order)),
            analysis_id=analysis_id,
            verdict_id=verdict_id,
        )
    return None


def _decision_of(case: EntryCase, refused: Reason | None) -> TradeDecision:
    return step_entry(
        verdict=case.verdict,
        analysis=case.analysis,
        config=case.config,
        config_revision=case.config_revision,
        facts=case.facts,
        steering=case.steering,
        wish=case.wish,
        refused=refused,
    )


def decision_record(
    *,
    opportunity: Opportunity,
    decision: TradeDecision,
    inputs: dict[str, Any],
    analysis_id: int | None = None,
    verdict_id: int | None = None,
    position: Position | None = None,
) -> DecisionRecord:
    """Store a decision under the next number of its trace, in the caller's transaction."""
    last = DecisionRecord.objects.filter(trace_id=decision.trace_id).aggregate(last=Max("number"))["last"]
    record = DecisionRecord.objects.create(
        trace_id=decision.trace_id,
        opportunity=opportunity,
        number=(last or 0) + 1,
        action=decision.action,
        analysis_id=analysis_id,
        verdict_id=verdict_id,
        position=position,
        amount_in_raw=None if decision.amount_in is None else decision.amount_in.raw,
        amount_out_min_raw=None if decision.amount_out_min is None else decision.amount_out_min.raw,
        expected_out_raw=None if decision.expected_out is None else decision.expected_out.raw,
        value_usd_micros=decision.value_usd_micros,
        slippage_max_bps=decision.slippage_max_bps,
        score_bps=decision.score_bps,
        skip_stage="" if decision.skip_stage is None else decision.skip_stage.value,
        exit_tag=decision.exit_tag or "",
        reasons=[asdict(reason) for reason in decision.reasons],
        adjustments=[asdict(item) for item in decision.adjustments],
        inputs=inputs,
        config_revision=decision.config_revision,
        created_at=timezone.now(),
    )
    first = decision.reasons[0]
    event_record(
        kind=EventKind.DECISION_MADE,
        summary=f"{decision.action}: {first.explanation}",
        trace_id=decision.trace_id,
        subject=f"opportunity:{opportunity.pk}" if position is None else f"position:{position.pk}",
        payload={
            "action": decision.action,
            "code": first.code,
            "stage": record.skip_stage,
            "exit_tag": record.exit_tag,
            "decision": record.pk,
        },
    )
    return record


def decision_repeat(record: DecisionRecord) -> TradeDecision:
    """Make a stored decision again from its stored inputs: the same core, so the same decision; a guard's by the guard."""
    if "advanced" in record.inputs:
        return part_decision_from_inputs(record.inputs)
    if "guard" in record.inputs:
        return guard_decision_from_inputs(record.inputs)
    return decision_from_inputs(record.inputs)
