"""Which orders failed because the price left their slippage, as far as the chain's own record shows it."""

from __future__ import annotations

from dataclasses import dataclass

from apps.discovery.models import PoolSnapshot
from apps.domain.order import FINAL_STATUSES
from apps.trading.models import Order, TxAttempt

#: How the routers and our own trial say that the price was gone.
PRICE_WORDS = (
    "INSUFFICIENT_OUTPUT_AMOUNT",
    "INSUFFICIENT_LIQUIDITY",
    "Too little received",
    "TooLittleReceived",
)
#: The pool as it stood so many blocks around the failure is looked at.
_BLOCKS_AROUND = 2
_FEE_BPS, _ONE_BPS = 30, 10_000


@dataclass(frozen=True, slots=True, kw_only=True)
class Ended:
    """An order that has come to its end, with what is needed to tell why."""

    order_id: int
    side: str
    status: str
    reason: str
    pair_id: int
    fee_bps: int
    amount_in_raw: int
    amount_out_min_raw: int
    expected_out_raw: int | None
    block_number: int | None  # in which its swap was turned down
    signed_block: int | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Exclusion:
    """An order left out of the second figure, and why."""

    order_id: int
    side: str
    status: str
    reason: str

    def told(self) -> str:
        """Return it as a line."""
        return f"order {self.order_id} ({self.side}, {self.status}): {self.reason}"


def ended_orders() -> tuple[Ended, ...]:
    """Return every order that has ended, oldest first."""
    rows = Order.objects.filter(status__in=[status.value for status in FINAL_STATUSES]).select_related("pair")
    swaps: dict[int, TxAttempt] = {}
    for attempt in TxAttempt.objects.filter(purpose="swap", order__in=rows).order_by("id"):
        swaps[attempt.order_id] = attempt
    return tuple(_ended(order, swaps.get(order.pk)) for order in rows.order_by("id"))


def _ended(order: Order, swap: TxAttempt | None) -> Ended:
    return Ended(
        order_id=order.pk,
        side=order.side,
        status=order.status,
        reason=order.reason,
        pair_id=order.pair_id,
        fee_bps=_FEE_BPS,
        amount_in_raw=order.amount_in_raw,
        amount_out_min_raw=order.amount_out_min_raw,
        expected_out_raw=order.expected_out_raw,
        block_number=None if swap is None else swap.block_number,
        signed_block=None if swap is None else swap.signed_block,
    )


def exclusion_of(order: Ended) -> Exclusion | None:
    """Return why this order says nothing about execution; None for a fill and for what is a failure of ours."""
    if order.status == "filled":
        return None
    word = next((word for word in PRICE_WORDS if word in order.reason), "")
    if word:
        return _excluded(order, f"the trial before the signature found the price beyond slippage ({word})")
    if order.status != "reverted" or order.block_number is None:
        return None
    for snapshot in _snapshots(order):
        ends = int(snapshot.quote_raw), int(snapshot.base_raw)
        reserve_in, reserve_out = ends if order.side == "buy" else ends[::-1]
        would_pay = paid(reserve_in, reserve_out, order.amount_in_raw, fee_bps=order.fee_bps)
        if would_pay < _pool_must_pay(order):
            return _excluded(
                order,
                f"reverted in block {order.block_number}; at block {snapshot.block_number} the pool would have paid"
                f" {would_pay}, and {order.amount_out_min_raw} was the least",
            )
    return None


def _pool_must_pay(order: Ended) -> int:
    """Return what the pool must pay before taxes for the least to arrive: never less than the least itself."""
    return order.amount_out_min_raw


def paid(reserve_in_raw: int, reserve_out_raw: int, amount_in_raw: int, *, fee_bps: int) -> int:
    """Return what a constant-product pool pays, rounded down. Source: Uniswap v2 whitepaper, 3.2."""
    with_fee = amount_in_raw * (_ONE_BPS - fee_bps)
    whole = reserve_in_raw * _ONE_BPS + with_fee
    return with_fee * reserve_out_raw // whole if whole else 0


def _snapshots(order: Ended) -> list[PoolSnapshot]:
    assert order.block_number is not None
    near = PoolSnapshot.objects.filter(
        pair_id=order.pair_id,
        block_number__gte=order.block_number - _BLOCKS_AROUND,
        block_number__lte=order.block_number,
    )
    rows = list(near.order_by("-block_number"))
    if rows:
        return rows
    earlier = PoolSnapshot.objects.filter(pair_id=order.pair_id, block_number__lt=order.block_number)
    return list(earlier.order_by("-block_number")[:1])


def _excluded(order: Ended, reason: str) -> Exclusion:
    return Exclusion(order_id=order.order_id, side=order.side, status=order.status, reason=reason)
