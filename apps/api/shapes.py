"""Rows as answers."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any

from apps.api.schemas import trading as s
from apps.api.schemas.base import plain, usd, usd_of
from apps.chains.labels import chain_labels
from apps.discovery.heads import chains_not_followed
from apps.discovery.models import Pair, Token
from apps.domain.money import raw_to_units
from apps.domain.verdict import Interval, ScoreCard
from apps.state.models import Event
from apps.state.services.engine import engine_view
from apps.trading.logic.orders_advanced import PRICE_SCALE, Leg, Progress
from apps.trading.models import AdvancedOrder, DecisionRecord, Opportunity, Order, Position, TxAttempt
from apps.trading.reading.opportunities import newest_cards, score_threshold_bps, state_of
from apps.trading.reading.orders import OrderRow, order_row
from apps.trading.reading.positions import PositionRow, position_row
from apps.trading.services.advanced_orders import plan_of, progress_of


def token_out(row: Token) -> s.TokenOut:
    """Return a token."""
    return s.TokenOut(address=row.address, symbol=row.symbol, name=row.name, decimals=row.decimals)


def pair_out(row: Pair) -> s.PairOut:
    """Return a pair, loaded with its tokens."""
    return s.PairOut(
        id=row.pk,
        pair_key=row.pair_key,
        chain_key=row.chain_key,
        dex_key=row.dex_key,
        pool_address=row.pool_address,
        base=token_out(row.base),
        quote=token_out(row.quote),
        fee_bps=row.fee_bps,
        creator=row.creator,
        source=row.source,
        created_block_number=row.created_block_number,
        registered_at=row.registered_at,
        set_aside_code=row.quarantine_code,
        set_aside_reason=row.quarantine_reason,
    )


# -- opportunities ------------------------------------------------------------------------
def _interval(item: Interval) -> s.IntervalOut:
    return s.IntervalOut(
        low_bps=item.low_bps,
        value_bps=item.value_bps,
        high_bps=item.high_bps,
        coverage_bps=item.coverage_bps,
    )


def card_out(card: ScoreCard | None) -> s.CardOut | None:
    """Return a score card."""
    if card is None:
        return None
    return s.CardOut(
        action=card.action.value,
        why=card.why,
        risk=_interval(card.risk),
        edge=_interval(card.edge),
        helps_most=card.helps_most,
        helps_bps=card.helps_bps,
    )


def opportunities_out(rows: Sequence[Opportunity]) -> list[s.OpportunityOut]:
    """Return opportunities, loaded with their pairs, with the newest verdict's card."""
    cards, threshold = newest_cards([row.trace_id for row in rows]), score_threshold_bps()
    return [_opportunity(row, cards.get(row.trace_id), threshold) for row in rows]


def _opportunity(row: Opportunity, card: ScoreCard | None, threshold_bps: int | None) -> s.OpportunityOut:
    return s.OpportunityOut(
        id=row.pk,
        trace_id=row.trace_id,
        number=row.number,
        pair=pair_out(row.pair),
        source=row.source,
        status=row.status,
        state=state_of(row),
        priority=row.priority,
        score_bps=row.score_bps,
        score_threshold_bps=threshold_bps,
        card=card_out(card),
        skip_stage=row.skip_stage,
        skip_code=row.skip_code,
        skip_explanation=row.skip_explanation,
        evaluations=row.evaluations,
        evaluate_after=row.evaluate_after,
        give_up_at=row.give_up_at,
        created_at=row.created_at,
        updated_at=row.updated_at,
    )


def decision_out(row: DecisionRecord) -> s.DecisionOut:
    """Return a decision."""
    return s.DecisionOut(
        number=row.number,
        action=row.action,
        amount_in_raw=row.amount_in_raw,
        amount_out_min_raw=row.amount_out_min_raw,
        value_usd=usd(row.value_usd_micros),
        slippage_max_bps=row.slippage_max_bps,
        score_bps=row.score_bps,
        skip_stage=row.skip_stage,
        exit_tag=row.exit_tag,
        reasons=plain(row.reasons),
        adjustments=plain(row.adjustments),
        config_revision=row.config_revision,
        created_at=row.created_at,
    )


# -- positions ----------------------------------------------------------------------------
def positions_out(rows: Iterable[Position]) -> list[s.PositionOut]:
    """Return positions, loaded with their pairs."""
    labels, silent = chain_labels(), chains_not_followed()
    return [position_out(position_row(row, labels, silent)) for row in rows]


def position_out(row: PositionRow) -> s.PositionOut:
    """Return a position."""
    item = row.item
    return s.PositionOut(
        id=item.pk,
        trace_id=item.trace_id,
        state=row.state,
        chain_key=item.chain_key,
        wallet_key=item.wallet_key,
        pair=pair_out(item.pair),
        quantity_base_raw=item.quantity_raw,
        reserved_base_raw=item.reserved_raw,
        coin_symbol=row.chain.native_symbol,
        coin_decimals=row.chain.native_decimals,
        cost_raw=item.cost_raw,
        held_cost_raw=row.held_cost_raw,
        proceeds_raw=item.proceeds_raw,
        fees_raw=item.fees_raw,
        cost_usd=usd_of(item.cost_usd_micros),
        mark_value_raw=None if row.mark_reason else item.mark_value_raw,
        mark_reason=row.mark_reason,
        result_raw=row.result_raw,
        result_bps=row.result_bps,
        result_usd=usd(row.result_usd_micros),
        stop_bps=row.stop_bps,
        stop_is_trailing=row.stop_is_trailing,
        target_bps=row.target_bps,
        exit_tag=item.exit_tag,
        opened_at=item.opened_at,
        closed_at=item.closed_at,
    )


# -- orders -------------------------------------------------------------------------------
def orders_out(rows: Iterable[Order]) -> list[s.OrderOut]:
    """Return orders, loaded with all that their rows are made of."""
    labels = chain_labels()
    return [order_out(order_row(row, labels)) for row in rows]


def order_out(row: OrderRow) -> s.OrderOut:
    """Return an order."""
    item = row.item
    return s.OrderOut(
        id=item.pk,
        client_order_id=item.client_order_id,
        trace_id=item.trace_id,
        side=item.side,
        status=item.status,
        reason=item.reason,
        chain_key=item.chain_key,
        wallet_key=item.wallet_key,
        pair=pair_out(item.pair),
        position_id=item.position_id,
        advanced_order_id=item.advanced_id,
        amount_in_raw=item.amount_in_raw,
        in_symbol=row.in_symbol,
        in_decimals=row.in_decimals,
        amount_out_min_raw=item.amount_out_min_raw,
        expected_out_raw=item.expected_out_raw,
        filled_out_raw=row.filled_raw,
        out_symbol=row.out_symbol,
        out_decimals=row.out_decimals,
        value_usd=usd(item.value_usd_micros),
        epoch=item.epoch,
        attempts=row.attempts,
        exit_tag=item.exit_tag,
        created_at=item.created_at,
        status_at=item.status_at,
        expires_at=item.expires_at,
    )


def attempt_out(row: TxAttempt) -> s.AttemptOut:
    """Return a signed transaction without its bytes."""
    return s.AttemptOut(
        purpose=row.purpose,
        tx_hash=row.tx_hash,
        nonce=row.nonce,
        status=row.status,
        signed_at=row.signed_at,
        broadcast_at=row.broadcast_at,
        seen_mined_at=row.seen_mined_at,
        block_number=row.block_number,
        fee_paid_raw=row.fee_paid_raw,
        error=row.error,
    )


def event_line(row: Event) -> s.EventLine:
    """Return one line of what happened."""
    return s.EventLine(at=row.at, kind=row.kind, actor=row.actor, summary=row.summary)


# -- advanced orders ----------------------------------------------------------------------
def advanced_out(rows: Iterable[AdvancedOrder]) -> list[s.AdvancedOrderOut]:
    """Return advanced orders, loaded with their pairs."""
    epoch = engine_view().epoch
    return [_advanced(row, epoch) for row in rows]


def _advanced(row: AdvancedOrder, epoch: int) -> s.AdvancedOrderOut:
    plan = plan_of(row)
    return s.AdvancedOrderOut(
        id=row.pk,
        kind=row.kind,
        side=row.side,
        status=row.status,
        explanation=row.explanation,
        pair=pair_out(row.pair),
        position_id=row.position_id,
        chain_key=row.chain_key,
        wallet_key=row.wallet_key,
        total_raw=plan.total_raw,
        legs=[_leg(leg, done, row) for leg, done in zip(plan.legs, progress_of(row, plan), strict=True)],
        accepted_rules=[str(rule) for rule in row.accepted_rules],
        waits_for_person=row.status == "open" and row.epoch != epoch,
        created_by=row.created_by,
        created_at=row.created_at,
        updated_at=row.updated_at,
    )


def _leg(leg: Leg, done: Progress, row: AdvancedOrder) -> s.LegOut:
    state = row.status if row.status != "open" else "waiting"
    if done.filled_raw:
        state = "filled"
    elif done.in_flight_raw:
        state = "submitted"
    return s.LegOut(
        number=leg.number + 1,
        trigger=leg.trigger.value,
        amount_raw=leg.amount_raw,
        price_coins=_price(leg, row),
        trail_bps=leg.trail_bps,
        state=state,
    )


def _price(leg: Leg, row: AdvancedOrder) -> Any:
    base, quote = row.pair.base.decimals, row.pair.quote.decimals
    if leg.price is None or base is None or quote is None:
        return None
    return raw_to_units(leg.price * 10**base, len(str(PRICE_SCALE)) - 1 + quote)
