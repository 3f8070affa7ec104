"""What hangs over the price: how far it falls, and what is taken out, when the largest holders sell into the pool.

Exists from the first second and needs no statistics. Pool, lockers, routers, burn addresses and our own wallets do not
count as holders: none of them sells against us. The creator's side counts as one holder.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from decimal import ROUND_FLOOR, Decimal, localcontext
from itertools import accumulate

from apps.domain.estimate import Estimate
from apps.domain.money import BPS_ONE, RATIO_CONTEXT, value_usd_micros
from apps.intelligence.logic.pool_sale import cash_taken_bps, cash_taken_raw, dump_drop_bps
from apps.intelligence.logic.subject import Subject

#: So many of the largest holders are taken together.
TOPS = (1, 5, 10)
#: Who controls more than half of what is held can do as he likes with the price.
MAJORITY_BPS = 5_000
_SOURCE = "events"
_CASH_TOP = 10


@dataclass(frozen=True, slots=True, kw_only=True)
class Concentration:
    """How few hold what is held outside pool and lockers. ``hhi_bps`` is 0..10000, rounded up: against us.

    ``effective`` is 1/HHI: so many equal holders would be as concentrated; rounded down. ``nakamoto`` is the least number
    of holders who together have more than half.
    """

    hhi_bps: int
    effective: Decimal
    nakamoto: int


def estimates(subject: Subject) -> tuple[Estimate, ...]:
    """Return holder_dump_top{1,5,10}_bps, holder_cash_top{1,5,10}_bps, holder_cash_top10_usd and the concentration.

    The price's fall and the share of the pool's coins that they would take, both after the pool's fee. A token's own tax
    on selling would make both smaller: it is not counted, because holders may be exempt from it.
    """
    if subject.facts.holders is None:
        return tuple(subject.absent(code, "holders", unit=unit, source=_SOURCE) for code, unit in _CODES)
    balances = holders_apart(subject)
    return (*_dumps(subject, balances), _cash(subject, balances), *_concentration(subject, balances))


_CODES = (
    *((f"holder_dump_top{top}_bps", "bps") for top in TOPS),
    *((f"holder_cash_top{top}_bps", "bps") for top in TOPS),
    (f"holder_cash_top{_CASH_TOP}_usd", "usd_micros"),
    ("holders_hhi_bps", "bps"),
    ("holders_effective", "count"),
    ("holders_nakamoto", "count"),
)


def holders_apart(subject: Subject) -> tuple[int, ...]:
    """Return what each holder has who could sell against us, largest first; the creator's side is one holder."""
    outside = subject.comparables(
        subject.listing.pool_address,
        *subject.lockers,
        *subject.routers,
        *subject.pools,
        *subject.own_addresses,
    )
    held = (
        (subject.comparable(address), raw)
        for address, raw in subject.facts.holders or ()
        if raw > 0 and subject.comparable(address) not in outside
    )
    return merged(held, insiders=subject.insiders)


def merged(held: Iterable[tuple[str, int]], *, insiders: frozenset[str]) -> tuple[int, ...]:
    """Return balances, largest first, with those of ``insiders`` added up into one."""
    apart: list[int] = []
    together = 0
    for address, raw in held:
        if address in insiders:
            together += raw
        else:
            apart.append(raw)
    return tuple(sorted((*apart, together) if together else apart, reverse=True))


def concentration(balances: Sequence[int]) -> Concentration | None:
    """Return how concentrated these balances are, largest first; None when nothing is held."""
    whole = sum(balances)
    if whole <= 0:
        return None
    squares = sum(raw * raw for raw in balances)
    with localcontext(RATIO_CONTEXT):
        effective = (Decimal(whole * whole) / Decimal(squares)).quantize(
            Decimal("0.01"), rounding=ROUND_FLOOR
        )
    return Concentration(
        hhi_bps=-(-squares * BPS_ONE // (whole * whole)),
        effective=effective,
        nakamoto=next(
            number
            for number, together in enumerate(accumulate(balances), start=1)
            if together * BPS_ONE > whole * MAJORITY_BPS
        ),
    )


def _dumps(subject: Subject, balances: Sequence[int]) -> tuple[Estimate, ...]:
    """Return price falls, then shares of the pool's coins, for each group of the largest holders."""
    reserves, n = subject.facts.reserves, max(len(balances), 1)
    codes = [
        code for code, unit in _CODES if unit == "bps" and code.startswith(("holder_dump", "holder_cash"))
    ]
    if reserves is None:
        return tuple(subject.absent(code, "reserves", unit="bps", source=_SOURCE) for code in codes)
    if reserves.base_raw == 0:
        return tuple(subject.unknown(code, "the pool is empty", unit="bps", source=_SOURCE) for code in codes)
    fee = subject.listing.fee_bps
    sold = [sum(balances[:top]) for top in TOPS]
    falls = [dump_drop_bps(base_raw=reserves.base_raw, fee_bps=fee, sold_raw=raw) for raw in sold]
    takings = [cash_taken_bps(base_raw=reserves.base_raw, fee_bps=fee, sold_raw=raw) for raw in sold]
    found: Mapping[str, int] = dict(zip(codes, (*falls, *takings), strict=True))
    return tuple(subject.known(code, value, unit="bps", source=_SOURCE, n=n) for code, value in found.items())


def _cash(subject: Subject, balances: Sequence[int]) -> Estimate:
    """Return the money that the ten largest would take out of the pool together."""
    code, facts, quote = f"holder_cash_top{_CASH_TOP}_usd", subject.facts, subject.listing.quote
    if facts.reserves is None or facts.quote_price_usd_micros is None:
        return subject.absent(code, "reserves", "quote_price_usd_micros", unit="usd_micros", source=_SOURCE)
    if facts.reserves.base_raw == 0:
        return subject.unknown(code, "the pool is empty", unit="usd_micros", source=_SOURCE)
    taken = cash_taken_raw(
        base_raw=facts.reserves.base_raw,
        quote_raw=facts.reserves.quote_raw,
        fee_bps=subject.listing.fee_bps,
        sold_raw=sum(balances[:_CASH_TOP]),
    )
    worth = value_usd_micros(taken, decimals=quote.decimals, price_usd_micros=facts.quote_price_usd_micros)
    return subject.known(code, worth, unit="usd_micros", source=_SOURCE, n=max(len(balances), 1))


def _concentration(subject: Subject, balances: Sequence[int]) -> tuple[Estimate, ...]:
    found = concentration(balances)
    if found is None:
        reason = "nobody holds the token outside the pool and lockers"
        return (
            subject.unknown("holders_hhi_bps", reason, unit="bps", source=_SOURCE),
            subject.unknown("holders_effective", reason, unit="count", source=_SOURCE),
            subject.unknown("holders_nakamoto", reason, unit="count", source=_SOURCE),
        )
    n = len(balances)
    return (
        subject.known("holders_hhi_bps", found.hhi_bps, unit="bps", source=_SOURCE, n=n),
        subject.known("holders_effective", found.effective, unit="count", source=_SOURCE, n=n),
        subject.known("holders_nakamoto", found.nakamoto, unit="count", source=_SOURCE, n=n),
    )
