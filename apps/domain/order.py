"""Orders and the transactions that carry them."""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import Enum
from typing import Literal

from apps.domain.ids import ChainKey, ClientOrderId, PairKey, TraceId, WalletKey
from apps.domain.money import Amount

Side = Literal["buy", "sell"]
Purpose = Literal["swap", "approve", "wrap", "cancel"]


class OrderStatus(Enum):
    """The life of an order. After SIGNED only the chain can say how it ended."""

    CREATED = "created"
    DENIED = "denied"  # refused by our own limits before signing
    CLAIMED = "claimed"  # one worker has it, nothing signed
    SIGNED = "signed"  # an attempt with its bytes is stored; broadcast may have happened
    SUBMITTED = "submitted"
    UNKNOWN = "unknown"  # only the chain can say; reconciliation alone leaves it
    FILLED = "filled"
    REVERTED = "reverted"
    DROPPED = "dropped"  # its nonce was consumed by another transaction, at finality
    CANCELLED = "cancelled"
    EXPIRED = "expired"


_S = OrderStatus
ORDER_TRANSITIONS: frozenset[tuple[OrderStatus, OrderStatus]] = frozenset(
    {
        (_S.CREATED, _S.DENIED),
        (_S.CREATED, _S.EXPIRED),
        (_S.CREATED, _S.CANCELLED),
        (_S.CREATED, _S.CLAIMED),
        (_S.CLAIMED, _S.CREATED),
        (_S.CLAIMED, _S.DENIED),
        (_S.CLAIMED, _S.EXPIRED),
        (_S.CLAIMED, _S.CANCELLED),
        (_S.CLAIMED, _S.SIGNED),
        (_S.SIGNED, _S.SUBMITTED),
        (_S.SIGNED, _S.UNKNOWN),
        (_S.SIGNED, _S.CANCELLED),
        (_S.SUBMITTED, _S.FILLED),
        (_S.SUBMITTED, _S.REVERTED),
        (_S.SUBMITTED, _S.DROPPED),
        (_S.SUBMITTED, _S.CANCELLED),
        (_S.SUBMITTED, _S.UNKNOWN),
        (_S.UNKNOWN, _S.SUBMITTED),
        (_S.UNKNOWN, _S.FILLED),
        (_S.UNKNOWN, _S.REVERTED),
        (_S.UNKNOWN, _S.DROPPED),
        (_S.UNKNOWN, _S.CANCELLED),
        (_S.UNKNOWN, _S.EXPIRED),
        (_S.FILLED, _S.UNKNOWN),  # a reorg took the block away
        (_S.REVERTED, _S.UNKNOWN),
        (_S.DROPPED, _S.UNKNOWN),  # mined after all: seen in the real world
        (_S.CANCELLED, _S.UNKNOWN),
    }
)
#: Nothing is on its way for these.
FINAL_STATUSES = frozenset({_S.DENIED, _S.FILLED, _S.REVERTED, _S.DROPPED, _S.CANCELLED, _S.EXPIRED})
#: The chain must be asked about these.
IN_FLIGHT_STATUSES = frozenset({_S.SIGNED, _S.SUBMITTED, _S.UNKNOWN})


def is_allowed(before: OrderStatus, after: OrderStatus) -> bool:
    """Tell whether an order may go from ``before`` to ``after``."""
    return (before, after) in ORDER_TRANSITIONS


@dataclass(frozen=True, slots=True, kw_only=True)
class OrderIntent:
    """A swap we want. ``amount_in``/``amount_out_min`` are in the chain's native coin or the base token.

    ``fee_cap_raw`` is the most native units this order may spend on gas and tips, all attempts together.
    """

    trace_id: TraceId
    client_order_id: ClientOrderId
    side: Side
    wallet_key: WalletKey
    pair_key: PairKey
    dex_key: str
    route: tuple[str, ...]  # token addresses, in order
    amount_in: Amount
    amount_out_min: Amount
    fee_cap_raw: int
    gas_limit: int
    epoch: int
    expires_at_ms: int
    fee_bps: int | None = (
        None  # the pool's swap fee, by which some protocols name a pool; None: not asked for
    )
    hop_fees_bps: tuple[int, ...] = ()  # of each pool of a route through several; empty: ``fee_bps`` says it


@dataclass(frozen=True, slots=True, kw_only=True)
class UnsignedTx:
    """A transaction before its signature. EVM: ``to``/``data`` with EIP-1559 fees; Solana: ``data`` is the message."""

    chain_key: ChainKey
    wallet_key: WalletKey
    purpose: Purpose
    nonce: int | None  # None on Solana
    to: str
    value_raw: int
    data: bytes = field(repr=False)
    gas_limit: int
    max_fee_wei: int
    tip_wei: int


@dataclass(frozen=True, slots=True, kw_only=True)
class SignedTx:
    """One TxAttempt row, stored before broadcast."""

    client_order_id: ClientOrderId
    chain_key: ChainKey
    purpose: Purpose
    tx_hash: str
    nonce: int | None
    epoch: int
    max_cost_raw: int  # the most native units it can spend on inclusion: gas_limit x max_fee
    payload: bytes = field(repr=False)
