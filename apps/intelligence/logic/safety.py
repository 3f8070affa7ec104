"""Can it be bought and sold again, at what tax and gas: what simulated round trips say.

Two methods are asked, which are hard to fool at once. Where they contradict each other, one of them was fooled:
that counts as not sellable.
"""

from __future__ import annotations

from decimal import Decimal

from apps.domain.estimate import Estimate
from apps.domain.market import RoundTrip
from apps.intelligence.logic.subject import Subject
from apps.intelligence.logic.trades import like_pairs, patient

_SOURCE = "simulation"
#: Trades of a full assessment that must end as the one at the intended size does.
_LIKE = frozenset({"in_parts", "second_buyer"})
#: How far one method alone is trusted: tokens exist that recognise one of them.
ALONE_CONFIDENCE = Decimal("0.7")


def estimates(subject: Subject) -> tuple[Estimate, ...]:
    """Return buyable, sellable, sellable_next_block, probe_disagreement, taxes and gas of a round trip.

    After a full assessment the sale counts that comes as soon as the token lets a buyer sell, within a minute: a short
    wait for everybody is no trap. Then methods are compared where they did the same.
    """
    probes = subject.facts.probes
    first = _usable(subject.facts.round_trips)
    sale = None if probes is None else patient(probes)
    if probes is None or sale is None or sale.trip.stage == "unavailable":
        trips, at_once, later = first, _by_delay(first, later=False), _by_delay(first, later=True)
        if _only_waits(at_once, later):
            trips = at_once = later
        measured, disagree = first, _disagree(trips)
    else:
        trips = (sale.trip, *_usable(tuple(trade.trip for trade in probes.trades if trade.name in _LIKE)))
        at_once = later = (sale.trip,)
        measured = (*first, *trips)
        disagree = any(_disagree(pair) for pair in like_pairs(subject, probes))
    return (
        _buyable(subject, measured),
        _sellable(subject, "sellable", trips, decisive=at_once, disagree=disagree),
        _sellable(subject, "sellable_next_block", trips, decisive=later, disagree=disagree),
        _disagreement(subject, measured, disagree=disagree),
        _highest(subject, "buy_tax_bps", tuple(trip.buy_tax_bps for trip in measured), unit="bps"),
        _highest(subject, "sell_tax_bps", tuple(trip.sell_tax_bps for trip in measured), unit="bps"),
        _highest(subject, "buy_gas", tuple(trip.buy_gas for trip in measured), unit="count"),
        _highest(subject, "sell_gas", tuple(trip.sell_gas for trip in measured), unit="count"),
    )


def _usable(trips: tuple[RoundTrip, ...]) -> tuple[RoundTrip, ...]:
    return tuple(trip for trip in trips if trip.stage != "unavailable")


def _by_delay(trips: tuple[RoundTrip, ...], *, later: bool) -> tuple[RoundTrip, ...]:
    return tuple(trip for trip in trips if (trip.sell_delay_blocks > 0) is later)


def _only_waits(at_once: tuple[RoundTrip, ...], later: tuple[RoundTrip, ...]) -> bool:
    """Tell whether the sale fails in the purchase's own block alone: one is not simulated like the other.

    Whoever must wait a block is robbed of nothing; whether something else is behind it, the full assessment finds out by
    a sale in the same block from a plain account.
    """
    return (
        bool(at_once and later)
        and all(trip.stage == "sell_failed" for trip in at_once)
        and all(trip.stage == "bought_and_sold" for trip in later)
    )


def _disagree(trips: tuple[RoundTrip, ...]) -> bool:
    return len({trip.stage == "bought_and_sold" for trip in trips}) > 1


def _confidence(count: int) -> Decimal:
    return Decimal(1) if count > 1 else ALONE_CONFIDENCE


def _buyable(subject: Subject, trips: tuple[RoundTrip, ...]) -> Estimate:
    if not trips:
        return subject.unknown("buyable", _why_unavailable(subject), unit="bool", source=_SOURCE)
    return subject.known(
        "buyable",
        any(trip.stage != "buy_failed" for trip in trips),
        unit="bool",
        source=_SOURCE,
        confidence=_confidence(len(trips)),
        n=len(trips),
    )


def _sellable(
    subject: Subject,
    code: str,
    trips: tuple[RoundTrip, ...],
    *,
    decisive: tuple[RoundTrip, ...],
    disagree: bool,
) -> Estimate:
    """Return whether a sale works. Any failed sale counts; only the ``decisive`` trips can say yes."""
    if disagree or any(trip.stage == "sell_failed" for trip in trips):
        return subject.known(
            code, value=False, unit="bool", source=_SOURCE, confidence=_confidence(len(trips)), n=len(trips)
        )
    if not decisive:
        return subject.unknown(code, _why_unavailable(subject), unit="bool", source=_SOURCE)
    failed_buy = next((trip for trip in decisive if trip.stage == "buy_failed"), None)
    if failed_buy is not None:
        reason = f"buying fails already: {failed_buy.detail or 'no reason given'}"
        return subject.unknown(code, reason, unit="bool", source=_SOURCE)
    return subject.known(
        code, value=True, unit="bool", source=_SOURCE, confidence=_confidence(len(trips)), n=len(trips)
    )


def _disagreement(subject: Subject, trips: tuple[RoundTrip, ...], *, disagree: bool) -> Estimate:
    if len({trip.method for trip in trips}) < 2:
        return subject.unknown("probe_disagreement", _why_unavailable(subject), unit="bool", source=_SOURCE)
    return subject.known("probe_disagreement", disagree, unit="bool", source=_SOURCE, n=len(trips))


def _highest(subject: Subject, code: str, values: tuple[int | None, ...], *, unit: str) -> Estimate:
    """Return the worst measurement; it is exact for the size that was simulated."""
    measured = [value for value in values if value is not None]
    if not measured:
        return subject.unknown(code, _why_unmeasured(subject), unit=unit, source=_SOURCE)
    return subject.known(
        code,
        max(measured),
        unit=unit,
        source=_SOURCE,
        confidence=_confidence(len(measured)),
        n=len(measured),
        low=min(measured),
    )


def _why_unavailable(subject: Subject) -> str:
    for trip in subject.facts.round_trips:
        if trip.stage == "unavailable" and trip.detail:
            return trip.detail
    return subject.missing.get("round_trips") or "no trade was simulated"


def _why_unmeasured(subject: Subject) -> str:
    for trip in subject.facts.round_trips:
        if trip.stage in ("buy_failed", "sell_failed"):
            leg = "buy" if trip.stage == "buy_failed" else "sale"
            return f"the simulated {leg} fails: {trip.detail or 'no reason given'}"
    return _why_unavailable(subject)
