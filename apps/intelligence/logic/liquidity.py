"""How much money the pool holds, in what, and how much of it can be taken out at once."""

from __future__ import annotations

from apps.domain.estimate import Estimate
from apps.domain.money import value_usd_micros
from apps.intelligence.logic.lockers import UNVERIFIED_MAX_BPS
from apps.intelligence.logic.subject import Subject, share_down_bps, share_up_bps


def estimates(subject: Subject) -> tuple[Estimate, ...]:
    """Return liquidity_usd (the quote side), quote_price_usd, quote_is_native, lp_burned_bps and lp_removable_bps."""
    quote = subject.listing.quote.address
    is_native = subject.comparable(quote) == subject.comparable(subject.wrapped_native_address)
    return (
        _liquidity(subject),
        _price(subject),
        subject.known("quote_is_native", is_native, unit="bool", source="configuration"),
        _burned(subject),
        _removable(subject),
    )


def _liquidity(subject: Subject) -> Estimate:
    facts = subject.facts
    if facts.reserves is None:
        return subject.absent("liquidity_usd", "reserves", unit="usd_micros")
    if facts.reserves.quote_raw == 0:
        return subject.known("liquidity_usd", 0, unit="usd_micros")  # nothing is worth nothing at any price
    if facts.quote_price_usd_micros is None:
        return subject.absent("liquidity_usd", "quote_price_usd_micros", unit="usd_micros")
    value = value_usd_micros(
        facts.reserves.quote_raw,
        decimals=subject.listing.quote.decimals,
        price_usd_micros=facts.quote_price_usd_micros,
    )
    return subject.known("liquidity_usd", value, unit="usd_micros")


def _price(subject: Subject) -> Estimate:
    price = subject.facts.quote_price_usd_micros
    if price is None:
        return subject.absent("quote_price_usd", "quote_price_usd_micros", unit="usd_micros")
    return subject.known("quote_price_usd", price, unit="usd_micros")


def _burned(subject: Subject) -> Estimate:
    facts = subject.facts
    if facts.lp_total_supply_raw is None or facts.lp_burned_raw is None:
        return subject.absent("lp_burned_bps", "lp_total_supply_raw", "lp_burned_raw", unit="bps")
    share = share_down_bps(facts.lp_burned_raw, facts.lp_total_supply_raw)
    if share is None:
        return subject.unknown("lp_burned_bps", _no_share(facts.lp_total_supply_raw), unit="bps")
    return subject.known("lp_burned_bps", share, unit="bps")


def _removable(subject: Subject) -> Estimate:
    """Return the share of liquidity that is neither burned nor locked: whoever holds it can take it out.

    What lies at lockers whose code is not the verified one is neither free nor locked: more than a speck of it leaves
    the share unknown.
    """
    facts = subject.facts
    total, burned, locked = facts.lp_total_supply_raw, facts.lp_burned_raw, facts.lp_locked_raw
    if total is None or burned is None or locked is None:
        return subject.absent(
            "lp_removable_bps", "lp_total_supply_raw", "lp_burned_raw", "lp_locked_raw", unit="bps"
        )
    unverified = share_up_bps(facts.lp_unverified_raw, total)
    if unverified is not None and unverified > UNVERIFIED_MAX_BPS:
        why = subject.missing.get("lp_lock_times", "the code of a locker was not verified")
        return subject.unknown(
            "lp_removable_bps", f"{unverified} bps lie at a known locker, but {why}", unit="bps"
        )
    share = share_up_bps(total - burned - locked, total)
    if share is None:
        return subject.unknown("lp_removable_bps", _no_share(total), unit="bps")
    return subject.known("lp_removable_bps", share, unit="bps")


def _no_share(total: int) -> str:
    if total == 0:
        return "nobody has added liquidity yet"
    return "the pool's liquidity figures contradict each other"
