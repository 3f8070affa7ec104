"""What others did in the pool since it was made."""

from __future__ import annotations

from decimal import Decimal
from typing import Literal

from apps.domain.estimate import Estimate
from apps.domain.market import PoolSwap
from apps.domain.money import BPS_ONE
from apps.intelligence.logic.subject import Subject

_SOURCE = "events"
#: How far counts are trusted when older swaps were not read: they can only be higher.
PARTLY_READ_CONFIDENCE = Decimal("0.5")


def estimates(subject: Subject) -> tuple[Estimate, ...]:
    """Return buyers_count and sellers_count (distinct third parties) and price_change_bps since the first swap."""
    swaps = subject.facts.swaps
    if swaps is None:
        return (
            subject.absent("buyers_count", "swaps", unit="count", source=_SOURCE),
            subject.absent("sellers_count", "swaps", unit="count", source=_SOURCE),
            subject.absent("price_change_bps", "swaps", unit="bps", source=_SOURCE),
        )
    return (
        _traders(subject, "buyers_count", swaps, side="buy"),
        _traders(subject, "sellers_count", swaps, side="sell"),
        _price_change(subject, swaps),
    )


def _traders(
    subject: Subject, code: str, swaps: tuple[PoolSwap, ...], *, side: Literal["buy", "sell"]
) -> Estimate:
    """Return how many distinct addresses traded, without the maker's side and ourselves."""
    left_out = subject.comparables(
        subject.listing.creator,
        subject.facts.owner or "",
        *subject.own_addresses,
        subject.listing.pool_address,
    )
    traders = {subject.comparable(swap.trader) for swap in swaps if swap.side == side} - left_out
    is_whole = "swaps_before" not in subject.missing
    return subject.known(
        code,
        len(traders),
        unit="count",
        source=_SOURCE,
        confidence=Decimal(1) if is_whole else PARTLY_READ_CONFIDENCE,
        n=max(len(swaps), 1),
    )


def _price_change(subject: Subject, swaps: tuple[PoolSwap, ...]) -> Estimate:
    """Return the pool's price now against the first swap's average; the swap's fee is the interval on both sides."""
    code, reserves = "price_change_bps", subject.facts.reserves
    if reserves is None:
        return subject.absent(code, "reserves", unit="bps", source=_SOURCE)
    if "swaps_before" in subject.missing:
        return subject.absent(code, "swaps_before", unit="bps", source=_SOURCE)
    first = next((swap for swap in swaps if swap.base_raw > 0 and swap.quote_raw > 0), None)
    if first is None:
        return subject.unknown(code, "nobody has traded yet", unit="bps", source=_SOURCE)
    if reserves.base_raw == 0:
        return subject.unknown(code, "the pool is empty", unit="bps", source=_SOURCE)
    ratio = reserves.quote_raw * first.base_raw * BPS_ONE // (reserves.base_raw * first.quote_raw)
    fee = subject.listing.fee_bps
    return subject.known(
        code,
        ratio - BPS_ONE,
        unit="bps",
        source=_SOURCE,
        n=len(swaps),
        low=ratio * (BPS_ONE - fee) // BPS_ONE - BPS_ONE,
        high=-(-ratio * BPS_ONE // (BPS_ONE - fee)) - BPS_ONE,
    )
