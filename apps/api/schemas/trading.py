"""Positions, orders, opportunities and the trace that binds them."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated, Any, Literal

from pydantic import Field, StringConstraints

from apps.api.schemas.base import Answer, Body, DecimalText, Raw, Usd

RawText = Annotated[
    str, StringConstraints(pattern=r"^[1-9][0-9]{0,59}$"), Field(description="Smallest units, as text.")
]
PriceText = Annotated[
    str,
    StringConstraints(pattern=r"^[0-9]{1,20}(\.[0-9]{1,40})?$"),
    Field(description="Coins for one whole token, as text."),
]
Id = Annotated[int, Field(ge=1, le=2**63 - 1)]
Bps = Annotated[int, Field(ge=1, le=1_000_000)]
_SECONDS_MAX = 30 * 86_400


class TokenOut(Answer):
    """A token as it describes itself: name and symbol are a stranger's text."""

    address: str
    symbol: str
    name: str
    decimals: int | None


class PairOut(Answer):
    """A pool of two tokens."""

    id: int
    pair_key: str
    chain_key: str
    dex_key: str
    pool_address: str
    base: TokenOut
    quote: TokenOut
    fee_bps: int
    creator: str
    source: str
    created_block_number: int
    registered_at: datetime
    set_aside_code: str = Field(description='Why it is not traded at all; "": it may be.')
    set_aside_reason: str


class PositionOut(Answer):
    """What is held of one token. Raw figures in the chain's own coin unless they say otherwise."""

    id: int
    trace_id: str
    state: str = Field(description="open, closing, closed or stuck.")
    chain_key: str
    wallet_key: str
    pair: PairOut
    quantity_base_raw: Raw
    reserved_base_raw: Raw
    coin_symbol: str
    coin_decimals: int
    cost_raw: Raw
    held_cost_raw: Raw
    proceeds_raw: Raw
    fees_raw: Raw
    cost_usd: Usd
    mark_value_raw: Raw | None = Field(
        description="What selling everything would bring; null: no fresh price."
    )
    mark_reason: str
    result_raw: Raw | None
    result_bps: int | None
    result_usd: Usd | None
    stop_bps: int | None
    stop_is_trailing: bool
    target_bps: int | None
    exit_tag: str
    opened_at: datetime
    closed_at: datetime | None


class CloseBody(Body):
    """How much of a position to sell now."""

    share_bps: int = Field(default=10_000, ge=1, le=10_000, description="Of what is held; 10000: everything.")


class CloseOut(Answer):
    """What was asked for."""

    message: str
    position_id: int
    advanced_order_id: int | None = Field(description="The order that sells a part; null for everything.")
    waits_for_engine: bool = Field(description="The engine does not let exits run now.")


class AttemptOut(Answer):
    """A signed transaction."""

    purpose: str
    tx_hash: str
    nonce: int | None
    status: str
    signed_at: datetime
    broadcast_at: datetime | None
    seen_mined_at: datetime | None
    block_number: int | None
    fee_paid_raw: Raw | None
    error: str


class OrderOut(Answer):
    """One swap. A purchase pays the chain's own coin, a sale the token."""

    id: int
    client_order_id: str
    trace_id: str
    side: str
    status: str
    reason: str
    chain_key: str
    wallet_key: str
    pair: PairOut
    position_id: int | None
    advanced_order_id: int | None
    amount_in_raw: Raw
    in_symbol: str
    in_decimals: int | None
    amount_out_min_raw: Raw
    expected_out_raw: Raw | None
    filled_out_raw: Raw | None
    out_symbol: str
    out_decimals: int | None
    value_usd: Usd | None
    epoch: int
    attempts: int
    exit_tag: str
    created_at: datetime
    status_at: datetime
    expires_at: datetime


class OrderDetailOut(Answer):
    """An order with its transactions and its history."""

    order: OrderOut
    attempts: list[AttemptOut]
    history: list[EventLine]


class EventLine(Answer):
    """One line of what happened."""

    at: datetime
    kind: str
    actor: str
    summary: str


class BuyBody(Body):
    """A purchase: at the market, up to a price, or in slices."""

    side: Literal["buy"]
    pair_id: Id
    amount_coin_raw: RawText
    price_max_coins: PriceText | None = None
    wallet_key: str = Field(default="", max_length=60, description='"": chosen as for every entry.')
    slices: int = Field(default=1, ge=1, le=100)
    interval_s: int = Field(default=0, ge=0, le=_SECONDS_MAX, description="Between slices.")
    accepts_refusals: bool = Field(
        default=False,
        description="Buy although rules refuse it; what makes a pair unsafe is never overruled.",
    )


class SellBody(Body):
    """A sale of a share of a position. Gains and losses are against what was paid."""

    side: Literal["sell"]
    position_id: Id
    kind: Literal["part", "limit", "stop", "bracket", "trailing", "time", "twap"]
    share_bps: int = Field(default=10_000, ge=1, le=10_000)
    gain_bps: Bps | None = None
    loss_bps: Annotated[int, Field(ge=1, le=9_999)] | None = None
    trail_bps: Annotated[int, Field(ge=1, le=9_999)] | None = None
    slices: int = Field(default=1, ge=1, le=100)
    interval_s: int = Field(default=0, ge=0, le=_SECONDS_MAX)
    delay_s: int = Field(default=0, ge=0, le=90 * 86_400, description="Time stop only.")


PlaceBody = Annotated[BuyBody | SellBody, Field(discriminator="side")]


class LegOut(Answer):
    """One part of an advanced order."""

    number: int
    trigger: str
    amount_raw: Raw
    price_coins: DecimalText | None = Field(description="For one whole token.")
    trail_bps: int | None
    state: str


class AdvancedOrderOut(Answer):
    """Trades that wait for prices or times."""

    id: int
    kind: str
    side: str
    status: str
    explanation: str
    pair: PairOut
    position_id: int | None
    chain_key: str
    wallet_key: str
    total_raw: Raw
    legs: list[LegOut]
    accepted_rules: list[str]
    waits_for_person: bool = Field(description="Of an older epoch: it acts once it is resumed.")
    created_by: str
    created_at: datetime
    updated_at: datetime


class IntervalOut(Answer):
    """A figure with the bounds that it can have once what is unknown becomes known; null: unknown."""

    low_bps: int | None
    value_bps: int | None
    high_bps: int | None
    coverage_bps: int


class CardOut(Answer):
    """Risk and edge apart, and the action that follows."""

    action: str
    why: str
    risk: IntervalOut
    edge: IntervalOut
    helps_most: str
    helps_bps: int


class OpportunityOut(Answer):
    """One chance at a pair."""

    id: int
    trace_id: str
    number: int
    pair: PairOut
    source: str
    status: str
    state: str = Field(description="new, watching, bought or refused.")
    priority: int
    score_bps: int | None
    score_threshold_bps: int | None
    card: CardOut | None
    skip_stage: str
    skip_code: str
    skip_explanation: str
    evaluations: int
    evaluate_after: datetime
    give_up_at: datetime
    created_at: datetime
    updated_at: datetime


class DecisionOut(Answer):
    """One decision with its reasons, and what intelligence changed in it."""

    number: int
    action: str
    amount_in_raw: Raw | None
    amount_out_min_raw: Raw | None
    value_usd: Usd | None
    slippage_max_bps: int
    score_bps: int | None
    skip_stage: str
    exit_tag: str
    reasons: list[dict[str, Any]]
    adjustments: list[dict[str, Any]]
    config_revision: int
    created_at: datetime


class TraceOut(Answer):
    """Everything under one trace id: the newest of each, oldest first."""

    trace_id: str
    opportunity: OpportunityOut
    decisions: list[DecisionOut]
    orders: list[OrderOut]
    position: PositionOut | None
    events: list[EventLine]


OrderDetailOut.model_rebuild()
