"""One trace: a pair's whole road, from its block to its profit or loss, with the time of each stage."""

from __future__ import annotations

from typing import Any

from apps.dashboard.logic.timeline import Mark, TimelineStep, timeline
from apps.dashboard.selectors.chains import ChainLabel, chain_label, chain_labels, chains_not_followed
from apps.dashboard.selectors.opportunities import state_of
from apps.dashboard.selectors.orders import ATTEMPTS
from apps.dashboard.selectors.positions import position_row
from apps.domain.foreign_text import clean_sentence
from apps.intelligence.models import AnalysisRecord
from apps.state.models import Event
from apps.trading.models import DecisionRecord, Opportunity, Order, Position, TxAttempt

EVENTS_MAX = 200
DECISIONS_MAX = 50
ORDERS_MAX = 20
DETAIL_LENGTH_MAX = 600
_TONES = {"filled": "good", "reverted": "bad", "dropped": "warn", "denied": "warn", "unknown": "unknown"}


def trace_detail(trace_id: str) -> dict[str, Any] | None:
    """Return everything that happened under one trace id, None when there is none."""
    opportunity = (
        Opportunity.objects.select_related("pair__base", "pair__quote").filter(trace_id=trace_id).first()
    )
    if opportunity is None:
        return None
    labels = chain_labels()
    chain = chain_label(labels, opportunity.pair.chain_key)
    analyses = list(AnalysisRecord.objects.filter(trace_id=trace_id).defer("estimates").order_by("id"))
    decisions = list(
        DecisionRecord.objects.filter(trace_id=trace_id).defer("inputs").order_by("-number")[:DECISIONS_MAX]
    )[::-1]
    orders = list(
        Order.objects.filter(trace_id=trace_id)
        .select_related("decision")
        .defer("decision__inputs")
        .prefetch_related(ATTEMPTS, "fills")
        .order_by("id")[:ORDERS_MAX]
    )
    position = Position.objects.select_related("pair__base", "pair__quote").filter(trace_id=trace_id).first()
    return {
        "opportunity": opportunity,
        "pair": opportunity.pair,
        "chain": chain,
        "state": state_of(opportunity),
        "decisions": decisions,
        "orders": orders,
        "position": None if position is None else position_row(position, labels, chains_not_followed()),
        "roads": _roads(opportunity, analyses, decisions, orders, chain),
        "events": list(Event.objects.filter(trace_id=trace_id).order_by("-id")[:EVENTS_MAX]),
    }


def _roads(
    opportunity: Opportunity,
    analyses: list[AnalysisRecord],
    decisions: list[DecisionRecord],
    orders: list[Order],
    chain: ChainLabel,
) -> list[tuple[str, tuple[TimelineStep, ...]]]:
    """Return the road in and each road out: the time between them is the market's, not ours."""
    entries = [order for order in orders if order.side == "buy"]
    roads = [("From block to decision", timeline(_judged(opportunity, analyses, decisions)))]
    for number, order in enumerate(entries, start=1):
        title = "From decision to buy" if len(entries) == 1 else f"From decision to buy, order {number}"
        roads.append((title, timeline(_carried(order, chain))))
    for order in orders:
        if order.side == "sell":
            word = order.exit_tag.replace("_", " ") or "sale"
            roads.append((f"From decision to sell: {word}", timeline(_carried(order, chain))))
    return [(title, steps) for title, steps in roads if steps]


def _judged(
    opportunity: Opportunity, analyses: list[AnalysisRecord], decisions: list[DecisionRecord]
) -> list[Mark]:
    pair, first = opportunity.pair, decisions[0] if decisions else None
    analysis = analyses[0] if analyses else None
    is_ahead = pair.created_block_at > pair.registered_at
    note = "the chain's clock runs ahead of ours" if is_ahead else "a block's own time has whole seconds"
    marks = [
        Mark(
            label="Block mined",
            at=None if is_ahead else pair.created_block_at,
            detail=f"Block {pair.created_block_number}, dated {pair.created_block_at:%H:%M:%S} UTC; {note}",
        ),
        Mark(label="Registered", at=pair.registered_at, detail=f"First named by {pair.source}"),
        Mark(label="Queued", at=opportunity.created_at),
        Mark(
            label="Analysed",
            at=None if analysis is None else analysis.created_at,
            detail="" if analysis is None else f"Reading the chain took {analysis.facts_duration_ms} ms",
        ),
        Mark(label="Decided", at=None if first is None else first.created_at, detail=_reasons(first)),
    ]
    if len(decisions) > 1:
        last = [item for item in decisions if item.action != "exit"][-1]
        if last is not first:
            number = f"Looked at {opportunity.evaluations} times; "
            marks.append(Mark(label="Decided last", at=last.created_at, detail=number + _reasons(last)))
    return marks


def _carried(order: Order, chain: ChainLabel) -> list[Mark]:
    attempts: list[TxAttempt] = [item for item in order.attempts.all() if item.purpose == "swap"]
    attempt = attempts[-1] if attempts else None
    fill = next((item for item in order.fills.all() if item.reversed_at is None), None)
    marks = [
        Mark(label="Decided", at=order.decision.created_at, detail=_reasons(order.decision)),
        Mark(label="Order created", at=order.created_at, detail=f"Order {order.pk}, epoch {order.epoch}"),
        Mark(label="Claimed", at=order.claimed_at, detail=order.claimed_by),
        Mark(
            label="Signed",
            at=attempt.signed_at if attempt else None,
            detail=f"Attempt {len(attempts)}" if len(attempts) > 1 else "",
        ),
        Mark(
            label="Broadcast",
            at=attempt.broadcast_at if attempt else None,
            detail=attempt.tx_hash if attempt else "",
        ),
        Mark(
            label="Seen mined",
            at=attempt.seen_mined_at if attempt else None,
            detail=f"Block {attempt.block_number} on {chain.name}"
            if attempt and attempt.block_number
            else "",
        ),
        Mark(label="Booked", at=fill.booked_at if fill else None, tone="good"),
    ]
    if order.status != "filled":
        tone = _TONES.get(order.status, "info")
        marks.append(
            Mark(
                label=order.status.capitalize(),
                at=order.status_at,
                tone=tone,
                detail=clean_sentence(order.reason, DETAIL_LENGTH_MAX),
            )
        )
    return marks


def _reasons(decision: DecisionRecord | None) -> str:
    if decision is None:
        return ""
    text = "; ".join(str(reason.get("explanation", "")) for reason in decision.reasons[:3])
    return clean_sentence(text, DETAIL_LENGTH_MAX)
