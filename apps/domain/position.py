"""What we hold, and the books."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from apps.domain.ids import ClientOrderId, TraceId
from apps.domain.market import BlockRef
from apps.domain.money import Amount


@dataclass(frozen=True, slots=True, kw_only=True)
class Fill:
    """What a mined swap really moved, from its transfer events. ``fill_key`` is unique: log indexes move in a reorg."""

    trace_id: TraceId
    client_order_id: ClientOrderId
    fill_key: str  # f"{tx_hash}:{block_hash}"
    amount_in: Amount  # left the wallet
    amount_out: Amount  # reached the wallet
    fee_native: Amount  # gas really paid
    block: BlockRef


@dataclass(frozen=True, slots=True, kw_only=True)
class Posting:
    """One side of a journal entry. Accounts: "wallet:<key>", "market:<pair_key>", "fees:gas", "equity:deposits",
    "loss:unaccounted".
    """

    account: str
    side: Literal["debit", "credit"]
    amount: Amount  # never negative

    def __post_init__(self) -> None:
        assert self.amount.raw >= 0, self.amount.raw


@dataclass(frozen=True, slots=True, kw_only=True)
class ExitPlan:
    """The exits armed for a position; None switches one off. Ratios are against the position's cost in quote."""

    take_profit_bps: int | None
    stop_loss_bps: int | None
    trailing_stop_bps: int | None
    trailing_activation_bps: int
    time_stop_ms: int | None
    liquidity_drop_bps: int | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Pnl:
    """Profit and loss in the quote coin. ``unrealised`` is None when there is no fresh price: unknown is not zero."""

    realised: Amount
    unrealised: Amount | None
    marked_at: BlockRef | None
