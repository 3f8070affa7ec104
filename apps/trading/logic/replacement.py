"""Replacing a transaction that waits by one of the same nonce that offers more."""

from __future__ import annotations

from dataclasses import dataclass, replace

from apps.domain.market import FeeQuote
from apps.domain.money import BPS_ONE
from apps.trading.logic.gas import gas_price_cap_wei

#: Nodes ask for a tenth more on both fees; an eighth is what the largest of them want.
REPLACEMENT_BPS = 11_250


@dataclass(frozen=True, slots=True, kw_only=True)
class Waiting:
    """A transaction that waits. Wei per gas."""

    gas_limit: int
    max_fee_wei: int
    tip_wei: int


def raised(fee_wei: int) -> int:
    """Return the least fee that replaces this one, with one wei for rounding that differs."""
    return -(-fee_wei * REPLACEMENT_BPS // BPS_ONE) + 1


def is_shut_out(waiting: Waiting, fees: FeeQuote) -> bool:
    """Tell whether the transaction cannot be in the next block at all: its maximum is below the base fee."""
    return waiting.max_fee_wei < fees.base_fee_wei


def is_outbid(waiting: Waiting, fees: FeeQuote) -> bool:
    """Tell whether its price is why it waits: what is left for a tip is below what most pay."""
    return min(waiting.tip_wei, waiting.max_fee_wei - fees.base_fee_wei) < fees.tip_wei


def fees_offered(waiting: tuple[Waiting, ...], fees: FeeQuote, *, fee_cap_raw: int) -> FeeQuote | None:
    """Return fees that replace all of these; None when they would cost more than ``fee_cap_raw`` or not do either.

    Within the cap the maximum is as high as usual, so that one replacement is enough.
    """
    assert waiting
    gas = sum(item.gas_limit for item in waiting)
    tip = max(fees.tip_wei, *(raised(item.tip_wei) for item in waiting))
    least = max(fees.base_fee_wei + tip, *(raised(item.max_fee_wei) for item in waiting))
    most = gas_price_cap_wei(fee_cap_raw, gas=gas, fees=fees, transactions=len(waiting))
    if least > most:
        return None
    return replace(fees, tip_wei=tip, max_fee_wei=min(max(least, fees.max_fee_wei), most))
