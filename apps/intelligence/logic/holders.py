"""Who holds the token, and how deep the price falls when the maker's side sells."""

from __future__ import annotations

from apps.domain.estimate import Estimate
from apps.domain.money import BPS_ONE
from apps.intelligence.logic.subject import Subject, share_up_bps

TOP_HOLDERS = 10
_CONTRADICTION = "the token's balances and its supply contradict each other"


def estimates(subject: Subject) -> tuple[Estimate, ...]:
    """Return token_supply, creator_holding_bps, creator_dump_drop_bps, holders_top10_bps and holder_count."""
    return (_supply(subject), _creator_share(subject), _creator_dump(subject), *_holders(subject))


def dump_drop_bps(*, base_raw: int, fee_bps: int, sold_raw: int) -> int:
    """Return how far selling ``sold_raw`` into a constant-product pool lowers its price, rounded up.

    The price falls to x²/((x+q)(x+γq)) of itself; x is the pool's base reserve, γ what the fee leaves of the input q.
    """
    assert base_raw > 0, base_raw
    assert sold_raw >= 0, sold_raw
    assert 0 <= fee_bps < BPS_ONE, fee_bps
    kept = BPS_ONE * base_raw * base_raw * BPS_ONE
    whole = (base_raw + sold_raw) * (BPS_ONE * base_raw + (BPS_ONE - fee_bps) * sold_raw)
    return BPS_ONE - kept // whole


def _supply(subject: Subject) -> Estimate:
    supply = subject.facts.base_total_supply_raw
    if supply is None:
        return subject.absent("token_supply", "base_total_supply_raw", unit="raw")
    if subject.facts.reserves is not None and subject.facts.reserves.base_raw > supply:
        return subject.unknown("token_supply", "the pool holds more of the token than there is", unit="raw")
    return subject.known("token_supply", supply, unit="raw")


def _creator_share(subject: Subject) -> Estimate:
    facts = subject.facts
    if facts.base_creator_raw is None or facts.base_total_supply_raw is None:
        return subject.absent("creator_holding_bps", "base_creator_raw", "base_total_supply_raw", unit="bps")
    share = share_up_bps(facts.base_creator_raw, facts.base_total_supply_raw)
    if share is None:
        return subject.unknown("creator_holding_bps", _CONTRADICTION, unit="bps")
    return subject.known("creator_holding_bps", share, unit="bps")


def _creator_dump(subject: Subject) -> Estimate:
    facts = subject.facts
    if facts.base_creator_raw is None or facts.reserves is None:
        return subject.absent("creator_dump_drop_bps", "base_creator_raw", "reserves", unit="bps")
    if facts.reserves.base_raw == 0:
        return subject.unknown("creator_dump_drop_bps", "the pool is empty", unit="bps")
    drop = dump_drop_bps(
        base_raw=facts.reserves.base_raw, fee_bps=subject.listing.fee_bps, sold_raw=facts.base_creator_raw
    )
    return subject.known("creator_dump_drop_bps", drop, unit="bps")


def _holders(subject: Subject) -> tuple[Estimate, Estimate]:
    """Return the ten largest holders' share of the supply and the number of holders.

    Lockers are left out (their tokens are out of reach), pool and burn addresses are so already.
    """
    facts = subject.facts
    if facts.holders is None:
        return (
            subject.absent("holders_top10_bps", "holders", unit="bps"),
            subject.absent("holder_count", "holders", unit="count"),
        )
    lockers = subject.comparables(*subject.lockers, subject.listing.pool_address)
    balances = sorted(
        (raw for address, raw in facts.holders if raw > 0 and subject.comparable(address) not in lockers),
        reverse=True,
    )
    count = subject.known("holder_count", len(balances), unit="count", source="events")
    if facts.base_total_supply_raw is None:
        return subject.absent("holders_top10_bps", "base_total_supply_raw", unit="bps"), count
    share = share_up_bps(sum(balances[:TOP_HOLDERS]), facts.base_total_supply_raw)
    if share is None:
        return subject.unknown("holders_top10_bps", _CONTRADICTION, unit="bps"), count
    return subject.known("holders_top10_bps", share, unit="bps", source="events"), count
