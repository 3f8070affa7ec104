"""Who holds the token, and how deep the price falls when the maker's side sells."""

from __future__ import annotations

from apps.domain.estimate import Estimate
from apps.intelligence.logic.pool_sale import dump_drop_bps
from apps.intelligence.logic.subject import Subject, share_up_bps

TOP_HOLDERS = 10
_CONTRADICTION = "the token's balances and its supply contradict each other"


def estimates(subject: Subject) -> tuple[Estimate, ...]:
    """Return the supply, what the creator and his side hold, what their sale does to the price, and who else holds.

    token_supply, creator_holding_bps, creator_dump_drop_bps, deployer_cluster_{holding_bps,dump_drop_bps,holders},
    holders_top10_bps, holder_count.
    """
    return (
        _supply(subject),
        _creator_share(subject),
        _creator_dump(subject),
        *_cluster(subject),
        *_holders(subject),
    )


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


def _cluster(subject: Subject) -> tuple[Estimate, Estimate, Estimate]:
    """Return what the creator's whole side holds: creator, owner, whom they gave tokens without a trade, whom they funded."""
    holding, dump, count = (
        "deployer_cluster_holding_bps",
        "deployer_cluster_dump_drop_bps",
        "deployer_cluster_holders",
    )
    facts = subject.facts
    if facts.supplied is None or facts.base_creator_raw is None:
        parts = ("base_creator_raw", "holders")
        return (
            subject.absent(holding, *parts, unit="bps", source="events"),
            subject.absent(dump, *parts, unit="bps", source="events"),
            subject.absent(count, *parts, unit="count", source="events"),
        )
    others = _side_balances(subject)
    held, n = facts.base_creator_raw + sum(others), len(others) + 1
    counted = subject.known(count, len(others), unit="count", source="events", n=n)
    if facts.base_total_supply_raw is None:
        share = subject.absent(holding, "base_total_supply_raw", unit="bps", source="events")
    elif (bps := share_up_bps(held, facts.base_total_supply_raw)) is None:
        share = subject.unknown(holding, _CONTRADICTION, unit="bps", source="events")
    else:
        share = subject.known(holding, bps, unit="bps", source="events", n=n)
    if facts.reserves is None:
        return share, subject.absent(dump, "reserves", unit="bps", source="events"), counted
    if facts.reserves.base_raw == 0:
        return share, subject.unknown(dump, "the pool is empty", unit="bps", source="events"), counted
    drop = dump_drop_bps(base_raw=facts.reserves.base_raw, fee_bps=subject.listing.fee_bps, sold_raw=held)
    return share, subject.known(dump, drop, unit="bps", source="events", n=n), counted


def _side_balances(subject: Subject) -> list[int]:
    """Return the balances of the creator's side beside creator and owner themselves."""
    themselves = subject.comparables(subject.listing.creator, subject.facts.owner or "")
    nobody = subject.comparables(
        subject.listing.pool_address,
        *subject.lockers,
        *subject.routers,
        *subject.pools,
        *subject.own_addresses,
    )
    others = subject.insiders - themselves - nobody
    return [
        raw
        for address, raw in subject.facts.holders or ()
        if subject.comparable(address) in others and raw > 0
    ]


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
